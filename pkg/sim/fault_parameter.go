package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// text is a parameter that is its field.
func text(name, help string, field func(*Fault) *string) Parameter {
	return Parameter{
		name, help,
		func(f *Fault, s string) error { *field(f) = s; return nil },
		func(f *Fault) string { return *field(f) },
	}
}

// number is a parameter that counts.
func number(name, help string, field func(*Fault) *int) Parameter {
	read := func(f *Fault, s string) (err error) {
		if *field(f), err = strconv.Atoi(s); err != nil {
			return errors.New("want a number")
		}
		return nil
	}
	return Parameter{name, help, read, func(f *Fault) string { return printed(*field(f)) }}
}

// duration is a parameter that lasts.
func duration(name, help string, field func(*Fault) *time.Duration) Parameter {
	read := func(f *Fault, s string) (err error) {
		if *field(f), err = time.ParseDuration(s); err != nil {
			return errors.New("want a time, as in 500ms or 2m")
		}
		return nil
	}
	return Parameter{name, help, read, func(f *Fault) string { return printed(*field(f)) }}
}

// printed writes a value, "" where it is zero.
func printed[T comparable](v T) string {
	var zero T
	if v == zero {
		return ""
	}
	return fmt.Sprint(v)
}

func readSeed(f *Fault, s string) (err error) {
	if f.Seed, err = strconv.ParseUint(s, 0, 64); err != nil {
		return errors.New("want a number of at most 64 bits")
	}
	return nil
}

// codeName writes a code as the gRPC specification does; "" for OK, which is no parameter.
func codeName(c codes.Code) string {
	switch c {
	case codes.OK:
		return ""
	case codes.Canceled:
		return "CANCELLED"
	}
	var b strings.Builder
	for i, r := range c.String() {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// readCode takes a code as the gRPC specification writes it, and as Go does.
func readCode(f *Fault, s string) error {
	plain := strings.ReplaceAll(strings.ToUpper(s), "_", "")
	for c := codes.Canceled; c <= codes.Unauthenticated; c++ {
		if plain == strings.ToUpper(c.String()) || plain == "CANCELLED" && c == codes.Canceled {
			f.Code = c
			return nil
		}
	}
	return errors.New("want a gRPC code, as in ABORTED or FAILED_PRECONDITION")
}
