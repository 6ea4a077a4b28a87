package relay

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapLogger gives the ACME client, which logs by zap, our own log.
func zapLogger(log *slog.Logger) *zap.Logger { return zap.New(zapToSlog{log}) }

type zapToSlog struct{ log *slog.Logger }

var _ zapcore.Core = zapToSlog{}

func (z zapToSlog) Enabled(l zapcore.Level) bool {
	return z.log.Enabled(context.Background(), slogLevel(l))
}

func (z zapToSlog) With(fields []zapcore.Field) zapcore.Core {
	return zapToSlog{slog.New(z.log.Handler().WithAttrs(slogAttrs(fields)))}
}

func (z zapToSlog) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if z.Enabled(e.Level) {
		return to.AddCore(e, z)
	}
	return to
}

func (z zapToSlog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	z.log.LogAttrs(context.Background(), slogLevel(e.Level), e.Message, slogAttrs(fields)...)
	return nil
}

func (z zapToSlog) Sync() error { return nil }

// slogLevel is one level lower for what is no fault: our info is for what an operator wants to know.
func slogLevel(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l == zapcore.WarnLevel:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

func slogAttrs(fields []zapcore.Field) []slog.Attr {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(m)
	}
	attrs := make([]slog.Attr, 0, len(m.Fields))
	for name, value := range m.Fields {
		attrs = append(attrs, slog.Any(name, value))
	}
	slices.SortFunc(attrs, func(a, b slog.Attr) int { return cmp.Compare(a.Key, b.Key) })
	return attrs
}
