package store

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// failure is how a member that cannot go on stops the store and not the process. etcd ends the process
// from its log: zap's Fatal after an error of the log or the database, Panic after what must not be.
// Here both stop the store and then end the goroutine that logged, as nothing after the call may run.
type failure struct {
	stop func(error) // given the cause, once or more

	mu     sync.Mutex
	recent []string // the last warnings, oldest first
}

// remembered is how many warnings an error of the store can show.
const remembered = 5

// logger is quiet: warnings are kept for errors, the rest is dropped.
func (f *failure) logger() *zap.Logger {
	return zap.New(&warnings{failure: f}, zap.WithFatalHook(f), zap.WithPanicHook(f))
}

// OnWrite is zap's hook for Fatal and Panic.
func (f *failure) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	f.died(cause(entry.Entry, fields))
	runtime.Goexit()
}

func (f *failure) died(cause error) { f.stop(fmt.Errorf("%w: %w", ErrStopped, cause)) }

// recover is deferred around calls into etcd on goroutines of ours.
func (f *failure) recover(what string) {
	switch r := recover().(type) {
	case nil:
	case error:
		f.died(fmt.Errorf("%s panicked: %w", what, r))
	default:
		f.died(fmt.Errorf("%s panicked: %v", what, r))
	}
}

// lately adds the last warnings to an error that says too little by itself.
func (f *failure) lately(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.recent) == 0 {
		return err
	}
	return fmt.Errorf("%w (etcd lately: %s)", err, strings.Join(f.recent, "; "))
}

// cause makes an error of a log entry, such that errors.Is finds ENOSPC in it.
func cause(entry zapcore.Entry, fields []zapcore.Field) error {
	for _, field := range fields {
		if err, ok := field.Interface.(error); ok && field.Type == zapcore.ErrorType {
			return fmt.Errorf("%s: %w", entry.Message, err)
		}
	}
	return errors.New(entry.Message)
}

// warnings is a zap core that keeps the last warnings and errors.
type warnings struct {
	failure *failure
	fields  []zapcore.Field
}

func (w *warnings) Enabled(level zapcore.Level) bool { return level >= zapcore.WarnLevel }

func (w *warnings) With(fields []zapcore.Field) zapcore.Core {
	return &warnings{w.failure, append(w.fields[:len(w.fields):len(w.fields)], fields...)}
}

func (w *warnings) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if w.Enabled(entry.Level) {
		return checked.AddCore(entry, w)
	}
	return checked
}

func (w *warnings) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	f := w.failure
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recent = append(f.recent, cause(entry, append(w.fields[:len(w.fields):len(w.fields)], fields...)).Error())
	f.recent = f.recent[max(0, len(f.recent)-remembered):]
	return nil
}

func (w *warnings) Sync() error { return nil }
