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
	seconds float64 // from its start until every device answers and all state has settled
	rss     float64 // MB, resident then
	peak    float64 // MB, resident at most on the way
}

// BenchmarkSim1000Devices is `loom sim` with a fabric of 1,000 devices as they come from the factory.
func BenchmarkSim1000Devices(b *testing.B) {
	var seconds, rss, peak []float64
	for b.Loop() {
		u := simulated(b, derived)
		seconds, rss, peak = append(seconds, u.seconds), append(rss, u.rss), append(peak, u.peak)
	}
	b.ReportMetric(0, "ns/op") // of the processes, with their end
	b.ReportMetric(middle(seconds), "seconds")
	b.ReportMetric(10, "goal-s")
	b.ReportMetric(middle(rss), "rss-MB")
	b.ReportMetric(middle(peak), "peak-MB")
	b.ReportMetric(200, "goal-MB")
}

// simulated runs `loom sim` in a process of its own until it has nothing left to do.
func simulated(b *testing.B, of starter) simUsage {
	dir := b.TempDir()
	file := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(file, of.yaml(), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("loom", "sim", file, "-o", filepath.Join(dir, "sim.json")) // this binary: see TestMain
	says, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(os.Interrupt)
	if line, err := bufio.NewReader(says).ReadString('\n'); err != nil {
		b.Fatalf("loom sim: %v\n%s", err, line)
	}
	p := process(cmd.Process.Pid)
	done := p.idle(b)
	return simUsage{done.Sub(start).Seconds(), p.memory(b, "VmRSS"), p.memory(b, "VmHWM")}
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
