package main

import (
	"bufio"
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
	b.Run("factory", func(b *testing.B) { benchmarkSim(b, simulation1000.settle) })
	b.Run("configured", func(b *testing.B) { benchmarkSim(b, simulation1000.configure) })
}

func benchmarkSim(b *testing.B, measure func(simulation1000, *testing.B) simUsage) {
	var seconds, rss, peak []float64
	for b.Loop() {
		u := startSim(b).end(b, measure)
		seconds, rss, peak = append(seconds, u.seconds), append(rss, u.rss), append(peak, u.peak)
	}
	b.ReportMetric(0, "ns/op") // of the processes, with their end
	b.ReportMetric(middle(seconds), "seconds")
	b.ReportMetric(10, "goal-s")
	b.ReportMetric(middle(rss), "rss-MB")
	b.ReportMetric(middle(peak), "peak-MB")
	b.ReportMetric(200, "goal-MB")
}

// simulation1000 is a `loom sim` that runs.
type simulation1000 struct {
	process
	cmd       *exec.Cmd
	start     time.Time
	topology  string // file
	inventory string // file
}

// startSim runs `loom sim` in a process of its own until it says that all devices are there.
func startSim(b *testing.B) simulation1000 {
	dir := b.TempDir()
	s := simulation1000{topology: filepath.Join(dir, "bench.yaml"), inventory: filepath.Join(dir, "sim.json")}
	if err := os.WriteFile(s.topology, derived.yaml(), 0o600); err != nil {
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
func (s simulation1000) end(b *testing.B, measure func(simulation1000, *testing.B) simUsage) simUsage {
	defer s.cmd.Wait()
	defer s.cmd.Process.Signal(os.Interrupt)
	return measure(s, b)
}

// settle waits until the simulation has nothing left to do.
func (s simulation1000) settle(b *testing.B) simUsage {
	done := s.idle(b)
	return simUsage{done.Sub(s.start).Seconds(), s.memory(b, "VmRSS"), s.memory(b, "VmHWM")}
}

// configure gives all devices the configuration that is intended for them; the time is that alone.
func (s simulation1000) configure(b *testing.B) simUsage {
	s.idle(b)
	s.start = time.Now()
	out, err := exec.Command("loom", "apply", s.topology, "--inventory", s.inventory, "--yes").CombinedOutput()
	if err != nil {
		b.Fatalf("loom apply: %v\n%s", err, out)
	}
	return s.settle(b)
}

// process is another process, by its id.
type process int

// idle waits until the process needs no more processor time, and returns since when.
func (p process) idle(b *testing.B) time.Time {
	since, spent := time.Now(), p.ticks(b)
	for range time.Tick(100 * time.Millisecond) {
		if now := p.ticks(b); now != spent {
			since, spent = time.Now(), now
		} else if time.Since(since) > time.Second {
			break
		}
	}
	return since
}

// ticks is the processor time that the process has had: utime and stime of proc(5), stat.
func (p process) ticks(b *testing.B) string {
	stat := p.file(b, "stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	return fields[11] + " " + fields[12]
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
