package config

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain sets how many cases each property has: a seeded slice of 100 in the normal run, so that a
// failure is found again, and 10,000 with a seed of the run in a soak (LOOM_SOAK=1).
func TestMain(m *testing.M) {
	flag.Parse()
	checks, seed := "100", "1"
	if os.Getenv("LOOM_SOAK") != "" {
		checks, seed = "10000", "0"
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.seed": seed} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := f.Value.Set(value); err != nil {
				panic(err)
			}
		}
	}
	fmt.Printf("properties: %s cases each, seed %s\n", flag.Lookup("rapid.checks").Value, flag.Lookup("rapid.seed").Value)
	os.Exit(m.Run())
}
