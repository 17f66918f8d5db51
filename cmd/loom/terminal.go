package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal is where a command reads and writes, and what it may draw there.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	color    bool // out is a terminal that wants colour
	live     bool // err is a terminal: progress may be drawn
	ask      bool // in is a terminal: questions may be asked

	lines *bufio.Reader // of in, once something was asked
}

func newTerminal(in *os.File, out, errs *os.File) *terminal {
	isTerm := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	return &terminal{
		in: in, out: out, err: errs,
		color: isTerm(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		live:  isTerm(errs) && os.Getenv("TERM") != "dumb",
		ask:   isTerm(in),
	}
}

// columns is how wide the terminal is on which progress is drawn, now; 80 where it does not say.
func (t *terminal) columns() int {
	if f, ok := t.err.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

func (t *terminal) printf(format string, args ...any) { fmt.Fprintf(t.out, format, args...) }

// notef writes for people, beside the output that a script reads.
func (t *terminal) notef(format string, args ...any) { fmt.Fprintf(t.err, format, args...) }

// json writes a value as indented JSON.
func (t *terminal) json(v any) error {
	e := json.NewEncoder(t.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// confirm asks a question beside the output, and tells whether the answer is the word. An interrupt
// ends the wait.
func (t *terminal) confirm(ctx context.Context, question, word string) (bool, error) {
	t.notef("%s", question)
	if t.lines == nil {
		t.lines = bufio.NewReader(t.in)
	}
	answer := make(chan string, 1)
	go func() {
		line, _ := t.lines.ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		return line == word, nil
	case <-ctx.Done():
		t.notef("\n")
		return false, errors.New("interrupted; nothing was changed")
	}
}

// sizes lists counts with their nouns: "12 devices, 1 cable".
func sizes(pairs ...any) string {
	s := ""
	for i := 0; i+1 < len(pairs); i += 2 {
		if s != "" {
			s += ", "
		}
		n, noun := pairs[i].(int), pairs[i+1].(string)
		s += fmt.Sprintf("%d %s", n, pluralOf(n, noun))
	}
	return s
}

func pluralOf(n int, noun string) string {
	if stem, ok := strings.CutSuffix(noun, "leaf"); ok && n != 1 {
		return stem + "leaves"
	}
	return plural(n, noun)
}
