package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settle gives flags that were not given the value that the environment has for them, or else a file.
func settle(c *cobra.Command, file string) error {
	if file == "" {
		file = os.Getenv(variableOf(c, "config"))
	}
	lines := map[string]setting{}
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("--config: %w", err)
		}
		if lines, err = readSettings(file, data, c.Flags()); err != nil {
			return err
		}
	}
	var err error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || err != nil || f.Name == "config" || f.Name == "help" {
			return
		}
		if v, ok := os.LookupEnv(variableOf(c, f.Name)); ok {
			if e := c.Flags().Set(f.Name, v); e != nil {
				err = fmt.Errorf("%s=%s: %w", variableOf(c, f.Name), v, e)
			}
		} else if s, ok := lines[f.Name]; ok {
			if e := c.Flags().Set(f.Name, s.value); e != nil {
				err = fmt.Errorf("%s: %s: %w", s.at, f.Name, e)
			}
		}
	})
	return err
}

// variableOf is the environment variable of a flag: LOOM_SERVE_LISTEN.
func variableOf(c *cobra.Command, flag string) string {
	return strings.ToUpper("LOOM_" + c.Name() + "_" + strings.ReplaceAll(flag, "-", "_"))
}

// setting is a line of a file of settings.
type setting struct{ value, at string }

// readSettings reads lines such as "listen: 127.0.0.1:9559". What follows # is for people.
func readSettings(name string, data []byte, flags *pflag.FlagSet) (map[string]setting, error) {
	out := map[string]setting{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		at := fmt.Sprintf("%s:%d", name, n)
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(text, ":")
		key = strings.TrimSpace(key)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: %q is no setting; write NAME: VALUE", at, text)
		case flags.Lookup(key) == nil || key == "config":
			return nil, fmt.Errorf("%s: %s: no such setting; settings are the flags, without --", at, key)
		case out[key].at != "":
			return nil, fmt.Errorf("%s: %s: set already at %s", at, key, out[key].at)
		}
		value, _, _ = strings.Cut(value, " #")
		out[key] = setting{strings.Trim(strings.TrimSpace(value), `"`), at}
	}
	return out, lines.Err()
}
