package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

// logFlags say how a controller logs. What a line is about stands in attributes: topology, device, transaction, source. Values of
// configuration are in no line.
type logFlags struct{ format, level string }

func addLogFlags(c *cobra.Command) *logFlags {
	f := &logFlags{}
	c.Flags().StringVar(&f.format, "log-format", "text", "of the log on standard error: text, or json with one object on each line")
	c.Flags().StringVar(&f.level, "log-level", "info", "what is logged at least: debug, info, warn or error")
	return f
}

// open is the log, and the terminal beside it: with JSON, what the terminal is told is logged.
func (f *logFlags) open(t *terminal) (*slog.Logger, *terminal, error) {
	var o slog.HandlerOptions
	switch f.level {
	case "debug":
		o.Level = slog.LevelDebug
	case "info":
		o.Level = slog.LevelInfo
	case "warn":
		o.Level = slog.LevelWarn
	case "error":
		o.Level = slog.LevelError
	default:
		return nil, nil, fmt.Errorf("--log-level %q: use debug, info, warn or error", f.level)
	}
	switch f.format {
	case "text":
		return slog.New(slog.NewTextHandler(t.err, &o)), t, nil
	case "json":
		log := slog.New(slog.NewJSONHandler(t.err, &o))
		beside := *t
		beside.err, beside.live = &lineLog{log: log}, false
		return log, &beside, nil
	}
	return nil, nil, fmt.Errorf("--log-format %q: use text or json", f.format)
}

// lineLog logs each line that is written to it.
type lineLog struct {
	log *slog.Logger

	mu   sync.Mutex
	rest []byte // of a line that is not over
}

// Write implements io.Writer.
func (l *lineLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, over := bytes.Cut(l.rest, []byte("\n"))
		if !over {
			return len(b), nil
		}
		l.log.Info(string(bytes.TrimPrefix(line, []byte("loom: "))))
		l.rest = rest
	}
}

var _ io.Writer = (*lineLog)(nil)

// logged is a controller whose end is in its log, too. With JSON it is nowhere else.
func logged(t *terminal, o *serveOptions, serve func(*slog.Logger, *terminal) error) error {
	log, beside, err := o.log.open(t)
	if err != nil {
		return err
	}
	err = serve(log, beside)
	if err == nil || o.log.format != "json" {
		return err
	}
	log.Error("the controller has ended", "error", err)
	code := exitError
	if e := (exit{}); errors.As(err, &e) {
		code = e.code
	}
	return exit{code: code}
}

// logStanding logs where a device stands now: what needs somebody's attention as a warning, what is on its way for who debugs.
func (f *fabricRun) logStanding(name string, s controller.Standing) {
	level := slog.LevelDebug
	switch {
	case s.Reason == controller.NotConnected:
	case s.Status == controller.InSync:
		level = slog.LevelInfo
	case slices.Contains([]controller.Status{controller.Unreachable, controller.Refused, controller.Failed, controller.Drifted}, s.Status):
		level = slog.LevelWarn
	}
	f.s.log.Log(context.Background(), level, "device is "+string(s.Status), "topology", f.name, "device", name, "revision", s.Applied, "drifts", len(s.Drifts), "reason", s.Reason)
}

// logBegun logs that a transaction begins to change devices.
func (f *fabricRun) logBegun(id, by string, devices int) {
	f.s.log.Info("transaction begun", "topology", f.name, "transaction", id, "by", by, "devices", devices)
}

// logEnded logs how a transaction has ended.
func (f *fabricRun) logEnded(res transaction.Result, took time.Duration) {
	level := slog.LevelWarn
	switch res.Outcome {
	case transaction.Done, transaction.Unchanged:
		level = slog.LevelInfo
	case transaction.Mixed:
		level = slog.LevelError
	}
	f.s.log.Log(context.Background(), level, "transaction "+string(res.Outcome), "topology", f.name, "transaction", res.ID, "seconds", took.Seconds())
}
