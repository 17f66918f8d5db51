package speaker

import (
	"context"
	"log/slog"
	"sync/atomic"

	gobgplog "github.com/osrg/gobgp/v3/pkg/log"
)

// logger writes what a speaker logs at debug level: what matters of it is state that the simulation shows.
type logger struct{ to atomic.Pointer[slog.Logger] }

func (l *logger) write(msg string, fields gobgplog.Fields) {
	to := l.to.Load()
	if to == nil || !to.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	attrs := make([]any, 0, 2*len(fields))
	for k, v := range fields {
		attrs = append(attrs, k, v)
	}
	to.Debug(msg, attrs...)
}

func (l *logger) Panic(msg string, fields gobgplog.Fields) { l.write(msg, fields) }
func (l *logger) Fatal(msg string, fields gobgplog.Fields) { l.write(msg, fields) }
func (l *logger) Error(msg string, fields gobgplog.Fields) { l.write(msg, fields) }
func (l *logger) Warn(msg string, fields gobgplog.Fields)  { l.write(msg, fields) }
func (l *logger) Info(msg string, fields gobgplog.Fields)  { l.write(msg, fields) }
func (l *logger) Debug(string, gobgplog.Fields)            {}

func (l *logger) SetLevel(gobgplog.LogLevel) {}

// GetLevel keeps speakers from writing every route they see.
func (l *logger) GetLevel() gobgplog.LogLevel { return gobgplog.InfoLevel }
