package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

// starter is the size of a generated topology.
type starter struct {
	name                  string
	sites, spines, leaves int
	spine, leaf           string // platforms
	tenants, segments     int    // tenants per site, segments per tenant
	explicit              bool   // list every cable
	parallel              int    // cables between each leaf and each spine
}

func initCommand(t *terminal) *cobra.Command {
	s := starter{parallel: 1}
	c := &cobra.Command{
		Use:   "init FILE",
		Short: "Write a topology to begin with",
		Long: `Writes a small, complete topology of the size you ask for. It validates and renders as it is;
change it from there. A file that exists is never overwritten. FILE - writes to standard output.`,
		Example: "  loom init fabric.yaml\n  loom init fabric.yaml --spines 4 --leaves 16 --name north",
		Args:    needs(1, "a file to write"),
	}
	f := c.Flags()
	f.StringVar(&s.name, "name", "fabric", "name of the topology")
	f.IntVar(&s.sites, "sites", 1, "number of sites")
	f.IntVar(&s.spines, "spines", 2, "spines of each site")
	f.IntVar(&s.leaves, "leaves", 4, "leaves of each site")
	f.StringVar(&s.spine, "spine-platform", "7220-IXR-D5", "platform of the spines")
	f.StringVar(&s.leaf, "leaf-platform", "7220-IXR-D2L", "platform of the leaves")
	f.IntVar(&s.tenants, "tenants", 1, "tenants of each site")
	f.IntVar(&s.segments, "segments", 2, "segments of each tenant")
	f.BoolVar(&s.explicit, "list-cables", false, "list every cable instead of deriving them")
	c.RunE = func(_ *cobra.Command, args []string) error {
		if s.sites < 1 || s.spines < 1 || s.leaves < 1 || s.tenants < 0 || s.segments < 1 {
			return fmt.Errorf("a fabric needs at least one site, spine, leaf and segment")
		}
		if s.sites > 255 || s.spines > 1000 || s.leaves > 1000 || s.tenants*s.sites > 9999 || s.segments > 9999 {
			return fmt.Errorf("too large: there are 255 sites, 1000 spines and leaves in each, 9999 tenants and 9999 segments at most")
		}
		if args[0] == "-" {
			text, err := s.checked(args[0])
			if err != nil {
				return err
			}
			_, err = t.out.Write(text)
			return err
		}
		return s.write(t, args[0])
	}
	return c
}

// write makes the file, and only where it is new: a topology of somebody's is not to be lost.
func (s starter) write(t *terminal, name string) error {
	if _, err := os.Lstat(name); err == nil {
		return existing(name)
	}
	text, err := s.checked(name)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return existing(name)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return err
	}
	t.printf("%s: written; next: loom validate %s\n", name, name)
	return file.Close()
}

func existing(name string) error {
	return fmt.Errorf("%s: exists; choose another name or remove it", name)
}

// checked is the generated file, if it makes a fabric: too many leaves for the ports of a spine,
// say, are known before anything is written.
func (s starter) checked(name string) ([]byte, error) {
	text := s.yaml()
	quiet := &terminal{out: io.Discard, err: io.Discard}
	if _, err := compileNetwork(quiet, []topology.Source{{Name: name, Data: text}}, nil); err != nil {
		return nil, fmt.Errorf("these sizes make no fabric: %w", err)
	}
	return text, nil
}

// yaml is the generated file. Benchmarks use it too, with thousands of devices.
func (s starter) yaml() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A leaf-spine fabric with EVPN-VXLAN: %d spines, %d leaves per site.\nloom: v1\nname: %s\n", s.spines, s.leaves, s.name)
	if s.sites == 1 {
		s.site(&b, "")
	} else {
		b.WriteString("sites:\n")
		for i := 1; i <= s.sites; i++ {
			fmt.Fprintf(&b, "  s%d:\n    number: %d\n", i, i)
			s.site(&b, "    ")
		}
	}
	if s.explicit {
		s.cables(&b)
	}
	s.services(&b)
	return b.Bytes()
}

func (s starter) site(b *bytes.Buffer, indent string) {
	if s.explicit {
		fmt.Fprintf(b, "%scabling: explicit\n", indent)
	} else if s.parallel > 1 {
		fmt.Fprintf(b, "%slinks-per-spine: %d\n", indent, s.parallel)
	}
	fmt.Fprintf(b, "%sspines: {count: %d, platform: %s}\n", indent, s.spines, s.spine)
	fmt.Fprintf(b, "%sleaves: {count: %d, platform: %s, pairs: true}\n", indent, s.leaves, s.leaf)
}

// cables lists what derived cabling would have made: ports in the order of the platforms, or from
// ethernet-1/1 upwards where more are wanted than the platform keeps for uplinks.
func (s starter) cables(b *bytes.Buffer) {
	uplinks, downlinks := s.uplinks(), portsOf(s.spine, s.leaves*s.parallel, func(p *hardware.Platform) []string { return p.Downlinks })
	b.WriteString("cables:\n")
	for i := 1; i <= s.sites; i++ {
		prefix := ""
		if s.sites > 1 {
			prefix = fmt.Sprintf("s%d-", i)
		}
		for leaf := range s.leaves {
			for spine := range s.spines {
				for k := range s.parallel {
					fmt.Fprintf(b, "  - %sleaf%d:%s - %sspine%d:%s\n", prefix, leaf+1, uplinks[spine*s.parallel+k],
						prefix, spine+1, downlinks[leaf*s.parallel+k])
				}
			}
		}
	}
}

func (s starter) uplinks() []string {
	return portsOf(s.leaf, s.spines*s.parallel, func(p *hardware.Platform) []string { return p.Uplinks })
}

// portsOf returns n ports: the first of a platform's own order if it has so many.
func portsOf(platform string, n int, order func(*hardware.Platform) []string) []string {
	if p, ok := hardware.Lookup(platform); ok && len(order(p)) >= n {
		return order(p)[:n]
	}
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("ethernet-1/%d", i+1))
	}
	return out
}

// services are tenants with their segments, and ports that use them.
func (s starter) services(b *bytes.Buffer) {
	if s.tenants == 0 {
		return
	}
	b.WriteString("tenants:\n")
	segment := 0
	var ports bytes.Buffer
	for i := 1; i <= s.sites; i++ {
		on := "leaves"
		if s.sites > 1 {
			on = fmt.Sprintf("s%d/leaves", i)
		}
		for k := 1; k <= s.tenants; k++ {
			tenant := (i-1)*s.tenants + k
			fmt.Fprintf(b, "  tenant%d:\n    number: %d\n    segments:\n", tenant, tenant)
			for j := 1; j <= s.segments; j++ {
				segment++
				fmt.Fprintf(b, "      net%d: {number: %d, gateway: 10.%d.%d.1/24}\n", segment, segment, 64+segment/256, segment%256)
				port := (k-1)*s.segments + j
				fmt.Fprintf(&ports, "  - {on: %s, range: ethernet-1/%d, lag: %s, segments: [net%d], tagged: true}\n", on, s.firstAccess()+port, s.lag(), segment)
			}
		}
	}
	b.WriteString("ports:\n")
	b.Write(ports.Bytes())
}

// firstAccess is the number of the port before the first access port: where listed cables take the
// leaf's ports from 1, those come after them.
func (s starter) firstAccess() int {
	if ports := s.uplinks(); s.explicit && ports[0] == "ethernet-1/1" {
		return len(ports)
	}
	return 0
}

// lag pairs the ports where every leaf has a partner.
func (s starter) lag() string {
	if s.leaves%2 == 0 {
		return "pair"
	}
	return "none"
}
