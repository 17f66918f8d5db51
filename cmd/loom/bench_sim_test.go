package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// simUsage is what a process that simulates needs.
type simUsage struct {
	seconds float64 // until everything answers and all state has settled
	rss     float64 // MB, resident then
	peak    float64 // MB, resident at most on the way
}

// BenchmarkSim1000Devices is `loom sim` with a fabric of 1,000 devices: as they come from the factory, and
// after `loom apply` has configured all of them.
func BenchmarkSim1000Devices(b *testing.B) {
	b.Run("factory", func(b *testing.B) { benchmarkSim(b, derived, 200, simulated.settle) })
	b.Run("configured", func(b *testing.B) { benchmarkSim(b, derived, 200, simulated.configure) })
}

// BenchmarkSimLive64 is `loom sim` with 60 leaves and 4 spines, their route reflectors, after `loom apply` has
// configured all of them: a real BGP speaker each.
func BenchmarkSimLive64(b *testing.B) {
	live := starter{name: "live", sites: 1, spines: 4, leaves: 60, parallel: 1,
		spine: "7220-IXR-H4", leaf: "7220-IXR-D2L", tenants: 1, segments: 1}
	benchmarkSim(b, live, 600, simulated.configure)
}

func benchmarkSim(b *testing.B, fabric starter, goal float64, measure func(simulated, *testing.B) simUsage) {
	var seconds, rss, peak []float64
	for b.Loop() {
		u := startSim(b, fabric).end(b, measure)
		seconds, rss, peak = append(seconds, u.seconds), append(rss, u.rss), append(peak, u.peak)
	}
	b.ReportMetric(0, "ns/op") // of the processes, with their end
	b.ReportMetric(middle(seconds), "seconds")
	b.ReportMetric(middle(rss), "rss-MB")
	b.ReportMetric(middle(peak), "peak-MB")
	b.ReportMetric(goal, "goal-MB")
}

// simulated is a `loom sim` that runs.
type simulated struct {
	process
	cmd       *exec.Cmd
	start     time.Time
	topology  string // file
	inventory string // file
}

// startSim runs `loom sim` in a process of its own until it says that all devices are there.
func startSim(b *testing.B, fabric starter) simulated {
	dir := b.TempDir()
	s := simulated{topology: filepath.Join(dir, "bench.yaml"), inventory: filepath.Join(dir, "sim.json")}
	if err := os.WriteFile(s.topology, fabric.yaml(), 0o600); err != nil {
		b.Fatal(err)
	}
	s.cmd = exec.Command("loom", "sim", s.topology, "-o", s.inventory) // this binary: see TestMain
	says, err := s.cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	s.start = time.Now()
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.process = process(s.cmd.Process.Pid)
	if line, err := bufio.NewReader(says).ReadString('\n'); err != nil {
		b.Fatalf("loom sim: %v\n%s", err, line)
	}
	return s
}

// end measures, and then ends the process.
func (s simulated) end(b *testing.B, measure func(simulated, *testing.B) simUsage) simUsage {
	defer s.cmd.Wait()
	defer s.cmd.Process.Signal(os.Interrupt)
	return measure(s, b)
}

// settle waits until the simulation has nothing left to do.
func (s simulated) settle(b *testing.B) simUsage {
	done := s.idle(b, time.Second)
	s.idle(b, (quiet+4)*restInterval) // it puts away what it no longer needs
	return simUsage{done.Sub(s.start).Seconds(), s.memory(b, "VmRSS"), s.memory(b, "VmHWM")}
}

// configure gives all devices the configuration that is intended for them; the time is that alone.
func (s simulated) configure(b *testing.B) simUsage {
	s.idle(b, time.Second)
	s.start = time.Now()
	out, err := exec.Command("loom", "apply", s.topology, "--inventory", s.inventory, "--data", b.TempDir(), "--gate", "0", "--yes").CombinedOutput()
	if err != nil {
		b.Fatalf("loom apply: %v\n%s", err, out)
	}
	return s.settle(b)
}

// process is another process, by its id.
type process int

// idle waits until the process has nothing left to do for a while, and returns since when: it needs less than a third of a
// processor, as sessions that stand have their keepalives.
func (p process) idle(b *testing.B, while time.Duration) time.Time {
	const few = 3 // ticks of 10 ms in 100 ms
	since, spent := time.Now(), p.ticks(b)
	for range time.Tick(100 * time.Millisecond) {
		now := p.ticks(b)
		if now-spent > few {
			since = time.Now()
		} else if time.Since(since) > while {
			break
		}
		spent = now
	}
	return since
}

// ticks is the processor time that the process has had: utime and stime of proc(5), stat.
func (p process) ticks(b *testing.B) int {
	stat := p.file(b, "stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	user, errUser := strconv.Atoi(fields[11])
	system, errSystem := strconv.Atoi(fields[12])
	if err := errors.Join(errUser, errSystem); err != nil {
		b.Fatal(err)
	}
	return user + system
}

// memory is a line of proc(5), status, in MB.
func (p process) memory(b *testing.B, name string) float64 {
	for line := range strings.Lines(p.file(b, "status")) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatalf("proc: no %s", name)
	return 0
}

func (p process) file(b *testing.B, name string) string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(int(p)), name))
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}
