package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// helloGRPC is the least program with gRPC in it.
const helloGRPC = `package main

import (
	"fmt"

	"google.golang.org/grpc"
)

func main() { fmt.Println("hello", grpc.Version, grpc.NewServer() != nil) }
`

// BenchmarkVersion runs loom version. The floor is a program with nothing but gRPC in it, which prints a line. They take turns.
func BenchmarkVersion(b *testing.B) {
	dir := b.TempDir()
	source, hello, loom := filepath.Join(dir, "main.go"), filepath.Join(dir, "hello"), filepath.Join(dir, "loom")
	if err := os.WriteFile(source, []byte(helloGRPC), 0o600); err != nil {
		b.Fatal(err)
	}
	for out, what := range map[string]string{hello: source, loom: "."} {
		if said, err := exec.Command("go", "build", "-trimpath", "-o", out, what).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, said)
		}
	}
	run := func(name string, args ...string) (wall, cpu time.Duration) {
		c := exec.Command(name, args...)
		start := time.Now()
		if err := c.Run(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start), c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	var ours, floor spans
	for b.Loop() {
		wall, cpu := run(hello)
		floor.add(span{wall, cpu})
		wall, cpu = run(loom, "version")
		ours.add(span{wall, cpu})
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(floor.wall.median().Seconds()*1e3, "floor-ms")
	b.ReportMetric(ours.wall.median().Seconds()*1e3, "version-ms")
	b.ReportMetric(ratio(ours.wall, floor.wall), "x_floor")
	b.ReportMetric(ratio(ours.cpu, floor.cpu), "x_floor_cpu")
	b.ReportMetric(2, "goal_x")
}
