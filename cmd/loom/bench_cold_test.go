package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A cold compilation is measured in a process of its own: nothing is remembered from the one
// before, and the peak of its memory is its own.

// coldCase is a fabric with the goals for it.
type coldCase struct {
	fabric starter
	ratio  float64 // at most this many times the floor
	memory float64 // at most this many MB at the peak
}

var coldCases = map[string]coldCase{
	"derived": {derived, 3, 120},
	"listed":  {listed, 3, 250},
}

func BenchmarkCold1000Devices(b *testing.B) { benchmarkCold(b, "derived") }

func BenchmarkCold20000Cables(b *testing.B) { benchmarkCold(b, "listed") }

// benchmarkCold alternates between Loom and the floor, so that both meet the same noise.
func benchmarkCold(b *testing.B, name string) {
	goal := coldCases[name]
	var loom, floor, memory []float64
	for b.Loop() {
		for range 3 {
			of := child(b, "loom", name)
			loom, memory = append(loom, of.CPU), append(memory, of.Peak)
			floor = append(floor, child(b, "floor", name).CPU)
		}
	}
	b.ReportMetric(0, "ns/op") // of the processes, with their start
	b.ReportMetric(middle(loom), "cpu-ms")
	b.ReportMetric(middle(floor), "floor-ms")
	b.ReportMetric(middle(loom)/middle(floor), "x_floor")
	b.ReportMetric(goal.ratio, "goal_x")
	b.ReportMetric(middle(memory), "peak-MB")
	b.ReportMetric(goal.memory, "goal-MB")
}

func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// usage is what a child process reports.
type usage struct {
	CPU  float64 // ms of processor time of all threads, garbage collection included
	Peak float64 // MB of resident memory, binary included
}

// The environment tells a child what it is.
const childPart, childCase = "LOOM_BENCH_PART", "LOOM_BENCH_CASE"

// child runs TestBenchmarkChild in a new process.
func child(b *testing.B, part, name string) usage {
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchmarkChild$", "-test.v")
	cmd.Env = append(os.Environ(), childPart+"="+part, childCase+"="+name)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%s of %s: %v\n%s", part, name, err, out)
	}
	for line := range strings.Lines(string(out)) {
		var u usage
		if json.Unmarshal([]byte(line), &u) == nil && u.CPU > 0 {
			return u
		}
	}
	b.Fatalf("%s of %s reports nothing:\n%s", part, name, out)
	return usage{}
}

// TestBenchmarkChild is the other process of benchmarkCold, and no test otherwise.
func TestBenchmarkChild(t *testing.T) {
	part := os.Getenv(childPart)
	if part == "" {
		t.Skip("a part of the benchmarks")
	}
	data := coldCases[os.Getenv(childCase)].fabric.yaml()
	var u usage
	if part == "loom" {
		u.CPU = childLoom(t, data)
	} else {
		u.CPU = childFloor(t, data)
	}
	var err error
	if u.Peak, err = peak(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(u); err != nil {
		t.Fatal(err)
	}
}

func childLoom(t *testing.T, data []byte) float64 {
	start := cpu()
	n, sums := cold(t, data)
	spent := cpu() - start
	runtime.KeepAlive(n)
	runtime.KeepAlive(sums)
	return spent.Seconds() * 1e3
}

// childFloor needs a compilation to record; then it starts with as little memory as Loom did.
func childFloor(t *testing.T, data []byte) float64 {
	n, want := cold(t, data)
	f := record(n.trees)
	n = nil
	debug.FreeOSMemory()
	start := cpu()
	got := f.run(t, data)
	spent := cpu() - start
	for name, sum := range want {
		if got[name] != sum {
			t.Fatalf("%s: the floor writes other bytes", name)
		}
	}
	return spent.Seconds() * 1e3
}

// cpu is the processor time of this process, of all its threads.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that this process has had, in MB: VmHWM of proc(5).
func peak() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("/proc/self/status: no VmHWM")
}
