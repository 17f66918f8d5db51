package device

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Values of an answer are copied between each other before anybody reads what is in them. For that it is enough
// to know where each begins and ends: one whose brackets and quotes close cannot reach into its neighbour. What
// is between them is checked where it is read.

var errNotJSON = errors.New("value is not JSON")

// valueEnd returns where the JSON value that begins at or behind i ends; ok is false where it has no end, or
// closes what it has not opened.
func valueEnd(data []byte, i int) (end int, ok bool) {
	i = afterSpace(data, i)
	if i == len(data) {
		return i, false
	}
	if c := data[i]; c != '{' && c != '[' {
		return scalarEnd(data, i)
	}
	var room [64]byte
	open := room[:0]
	for i < len(data) {
		switch c := data[i]; c {
		case '"':
			if i, ok = stringEnd(data, i); !ok {
				return i, false
			}
			continue
		case '{', '[':
			open = append(open, c+2) // what closes it: { is 0x7B, } 0x7D, [ 0x5B, ] 0x5D
		case '}', ']':
			if open[len(open)-1] != c {
				return i, false
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return i + 1, true
			}
		}
		i++
	}
	return i, false
}

// scalarEnd returns where a string, number or word ends.
func scalarEnd(data []byte, i int) (int, bool) {
	if data[i] == '"' {
		end, ok := stringEnd(data, i)
		return end, ok && json.Valid(data[i:end])
	}
	end := i
	for end < len(data) && !isSpace(data[end]) && data[end] != ',' && data[end] != '}' && data[end] != ']' {
		end++
	}
	return end, json.Valid(data[i:end])
}

// stringEnd returns where the string that begins at i ends: behind the first quote without a backslash of its own.
func stringEnd(data []byte, i int) (int, bool) {
	for i++; ; i++ {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data), false
		}
		escapes := 0
		for k := i + n - 1; k >= i && data[k] == '\\'; k-- {
			escapes++
		}
		if i += n; escapes%2 == 0 {
			return i + 1, true
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func afterSpace(data []byte, i int) int {
	for i < len(data) && isSpace(data[i]) {
		i++
	}
	return i
}

// oneValue refuses what is not exactly one JSON value.
func oneValue(data []byte) (json.RawMessage, error) {
	end, ok := valueEnd(data, 0)
	if !ok || afterSpace(data, end) != len(data) {
		return nil, errNotJSON
	}
	return data, nil
}

// eachElement calls do with the elements of a JSON array, or says that it is none.
func eachElement(data []byte, do func(json.RawMessage)) error {
	return inside(data, '[', func(i int) (int, error) {
		end, ok := valueEnd(data, i)
		if !ok {
			return 0, errNotJSON
		}
		do(data[afterSpace(data, i):end])
		return end, nil
	})
}

// eachMember calls do with the members of a JSON object, in their order, or says that it is none.
func eachMember(data []byte, do func(name string, value json.RawMessage) error) error {
	return inside(data, '{', func(i int) (int, error) {
		name, i, err := memberName(data, i)
		if err != nil {
			return 0, err
		}
		end, ok := valueEnd(data, i)
		if !ok {
			return 0, errNotJSON
		}
		return end, do(name, data[afterSpace(data, i):end])
	})
}

// memberName reads a name and its colon, and returns where the value begins.
func memberName(data []byte, i int) (name string, at int, err error) {
	if data[i] != '"' {
		return "", 0, errNotJSON
	}
	end, ok := stringEnd(data, i)
	if !ok {
		return "", 0, errNotJSON
	}
	if text := data[i+1 : end-1]; bytes.IndexByte(text, '\\') < 0 {
		name = string(text)
	} else if err := json.Unmarshal(data[i:end], &name); err != nil {
		return "", 0, err
	}
	colon := afterSpace(data, end)
	if colon == len(data) || data[colon] != ':' {
		return "", 0, errNotJSON
	}
	return name, colon + 1, nil
}

// inside walks what is between brackets: next takes what begins at i and returns where it ends.
func inside(data []byte, open byte, next func(i int) (int, error)) error {
	i := afterSpace(data, 0)
	if i == len(data) || data[i] != open {
		return errNotJSON
	}
	for first := true; ; first = false {
		i = afterSpace(data, i+1)
		if i == len(data) {
			return errNotJSON
		}
		if first && data[i] == open+2 {
			return alone(data, i+1)
		}
		end, err := next(i)
		if err != nil {
			return err
		}
		i = afterSpace(data, end)
		switch {
		case i == len(data):
			return errNotJSON
		case data[i] == open+2:
			return alone(data, i+1)
		case data[i] != ',':
			return errNotJSON
		}
	}
}

// alone wants nothing behind a value.
func alone(data []byte, i int) error {
	if afterSpace(data, i) != len(data) {
		return errNotJSON
	}
	return nil
}

// sameTokens tells whether two documents are the same text but for white space between their parts. Documents that
// say the same in another order or spelling are not.
func sameTokens(a, b []byte) bool {
	for i, k := 0, 0; ; {
		i, k = afterSpace(a, i), afterSpace(b, k)
		if i == len(a) || k == len(b) {
			return i == len(a) && k == len(b)
		}
		if a[i] != b[k] {
			return false
		}
		if a[i] != '"' {
			if glued(a, i) != glued(b, k) { // 1 2 is not 12
				return false
			}
			i, k = i+1, k+1
			continue
		}
		endA, okA := stringEnd(a, i)
		endB, okB := stringEnd(b, k)
		if !okA || !okB || !bytes.Equal(a[i:endA], b[k:endB]) {
			return false
		}
		i, k = endA, endB
	}
}

// glued tells whether the next byte belongs to the same number or word.
func glued(data []byte, i int) bool {
	return isWord(data[i]) && i+1 < len(data) && isWord(data[i+1])
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E'
}
