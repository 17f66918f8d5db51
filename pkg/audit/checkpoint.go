package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says how large a log is and what is in it. It is signed as a note (golang.org/x/mod/sumdb/note), whose text is
//
//	ORIGIN
//	SIZE
//	ROOT
//
// with the root in base64: the form that other logs have, too (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string // names the log
	Size   int64
	Root   tlog.Hash
}

// originPrefix begins the origin of each log of ours; what follows is random.
const originPrefix = "loom-audit/"

// Origin is that of a new log.
func Origin(random []byte) string { return originPrefix + fmt.Sprintf("%x", random) }

// Sign is the checkpoint as a signed note.
func (c Checkpoint) Sign(by note.Signer) ([]byte, error) {
	text := c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
	return note.Sign(&note.Note{Text: text}, by)
}

// OpenCheckpoint reads a signed checkpoint. Errors: nobody known has signed it, or its signature is not about what it says.
func OpenCheckpoint(signed []byte, known note.Verifiers) (Checkpoint, error) {
	n, err := note.Open(signed, known)
	if err != nil {
		var nobody *note.UnverifiedNoteError
		var wrong *note.InvalidSignatureError
		switch {
		case errors.As(err, &nobody):
			return Checkpoint{}, errors.New("no known key has signed it")
		case errors.As(err, &wrong):
			return Checkpoint{}, errors.New("its signature is not of what it says")
		}
		return Checkpoint{}, errors.New("it is no signed checkpoint")
	}
	return parseCheckpoint(n.Text)
}

func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], originPrefix) {
		return Checkpoint{}, errors.New("it is no checkpoint of an audit log")
	}
	c := Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 {
		return Checkpoint{}, fmt.Errorf("%q is no size", lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return Checkpoint{}, fmt.Errorf("%q is no hash", lines[2])
	}
	return c, nil
}

// SplitNotes cuts a text into the signed notes that were written one after the other: each ends with its signatures, behind an empty
// line. What is no note is returned as one, too, and does not open.
func SplitNotes(text []byte) [][]byte {
	var out [][]byte
	var signed, signatures bool
	begin, at := 0, 0
	for line := range bytes.Lines(text) {
		signature := bytes.HasPrefix(line, []byte("— "))
		if signed && signatures && !signature {
			out, begin, signed, signatures = append(out, text[begin:at]), at, false, false
		}
		signed = signed || len(bytes.TrimSpace(line)) == 0 && at > begin
		signatures = signatures || signed && signature
		at += len(line)
	}
	if len(bytes.TrimSpace(text[begin:])) > 0 {
		out = append(out, text[begin:])
	}
	return out
}

// NewKey makes a key that signs checkpoints: the private part, for Signer, and the public one, for Verifiers.
func NewKey(random io.Reader) (private, public string, err error) {
	return note.GenerateKey(random, "loom-audit")
}

// Signer reads the private part of a key.
func Signer(private string) (note.Signer, error) {
	s, err := note.NewSigner(strings.TrimSpace(private))
	if err != nil {
		return nil, errors.New("it is no private key of an audit log")
	}
	return s, nil
}

// Verifiers read the public parts of keys, one on each line.
func Verifiers(public string) (note.Verifiers, error) {
	var all []note.Verifier
	for line := range strings.Lines(public) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		v, err := note.NewVerifier(line)
		if err != nil {
			return nil, fmt.Errorf("%q is no public key of an audit log", line)
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no key")
	}
	return note.VerifierList(all...), nil
}
