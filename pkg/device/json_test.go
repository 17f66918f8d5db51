package device

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestTwoDocumentsAreTheSameTextButForWhiteSpace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"indented or not":                        {"{\n  \"a\": [1, true]\n}\n", `{"a":[1,true]}`, true},
		"white space in a string counts":         {`{"a":"b c"}`, `{"a":"bc"}`, false},
		"a quote in a string does not end it":    {`{"a":"\" b"}`, `{"a":"\" c"}`, false},
		"a backslash at the end of a string":     {`{"a":"\\", "b":1}`, `{"a":"\\","b":1}`, true},
		"numbers that white space would join":    {`[1 2]`, `[12]`, false},
		"one is the beginning of the other":      {`{"a":1}`, `{"a":1`, false},
		"members in another order":               {`{"a":1,"b":2}`, `{"b":2,"a":1}`, false},
		"nothing is the same as only blank text": {"", " \n", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sameTokens([]byte(c.a), []byte(c.b)); got != c.want {
				t.Errorf("%s and %s: %v", c.a, c.b, got)
			}
		})
	}
}

// FuzzValue holds that a value which is taken for one stays one among others, and that whatever is JSON is taken.
func FuzzValue(f *testing.F) {
	for _, s := range []string{`{"a":[{"b":"c\\\"]"},1.5e3],"d":null}`, ` "x" `, `1},"y":{`, `[}`, `{"a"}`, `{"a":1,}`, `"\`, `]`, `nul`, ``, `{"a\u0062":0}`, `[[],{}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := oneValue(data)
		if err != nil {
			if json.Valid(data) {
				t.Fatalf("JSON is refused: %s", data)
			}
			return
		}
		members, err := splitObject([]byte(`{"x": ` + string(raw) + `, "y":1}`))
		if err != nil || len(members) != 2 || members[0].name != "x" || !bytes.Equal(members[0].value, bytes.Trim(data, " \t\r\n")) {
			t.Fatalf("%s: %v, %v", data, members, err)
		}
		inner, err := splitObject(raw)
		var want map[string]json.RawMessage
		if json.Valid(data) && json.Unmarshal(data, &want) == nil && want != nil && err == nil && len(inner) != len(want) {
			t.Fatalf("%s: %v", data, inner)
		}
		if !sameTokens(data, raw) {
			t.Fatalf("%s is not itself", data)
		}
	})
}
