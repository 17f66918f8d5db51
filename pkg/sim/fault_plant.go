package sim

import (
	"fmt"
	"strings"
	"time"
)

// swapKind is the fault that plugs cables otherwise than they were.
const swapKind = "swap"

// plantKinds are about what is plugged in.
var plantKinds = []*Kind{
	{Name: "cut", At: AtCable, Help: "a cable is cut", start: cutCable},
	{
		Name: "flap", At: AtCable, Help: "a cable goes down and up again, at each delay",
		Takes: []string{"delay", "times"}, Default: Fault{Delay: time.Second}, start: flapCable,
	},
	{Name: swapKind, At: AtCable, Help: "the far ends of a cable and another one are swapped", Needs: []string{"with"}, judge: twoCables, start: swapCables},
	{Name: "port-down", At: AtPort, Help: "the laser of a port is dead: both ends of its cable see no light", judge: aPort, start: darkenPort},
}

func cutCable(f *injected) error {
	if err := f.sim.Cut(anEnd(f.Target), true); err != nil {
		return err
	}
	f.mend(func() { f.complain(f.sim.Cut(anEnd(f.Target), false)) })
	return nil
}

// flapCable cuts the cable, and mends and cuts it in turns until it is cleared or has been cut often enough.
func flapCable(f *injected) error {
	if err := f.sim.Cut(anEnd(f.Target), true); err != nil {
		return err
	}
	f.strike()
	f.mend(func() { f.complain(f.sim.Cut(anEnd(f.Target), false)) })
	f.later(f.Delay, func() { f.turnOver(false) })
	return nil
}

// turnOver cuts or mends the cable of a flap.
func (f *injected) turnOver(down bool) {
	if down && !f.strike() {
		return
	}
	f.complain(f.sim.Cut(anEnd(f.Target), down))
	f.later(f.Delay, func() { f.turnOver(!down) })
	if !down {
		f.release()
	}
}

// swapCables swaps two cables. Their ids are others then, but each still has the end that it is found by.
func swapCables(f *injected) error {
	one, other := anEnd(f.Target), anEnd(f.With)
	if err := f.sim.Swap(one, other); err != nil {
		return err
	}
	f.mend(func() { f.complain(f.sim.Swap(one, other)) })
	return nil
}

// twoCables refuses to swap a cable with none or with itself.
func twoCables(s *Sim, f *Fault) error {
	if err := s.hasTarget(AtCable, f.With); err != nil {
		return fmt.Errorf("with: %w", err)
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	i, _ := find(s.world.wiring, f.Target)
	if j, _ := find(s.world.wiring, f.With); i == j {
		return fmt.Errorf("with %s: is the same cable; name another one", f.With)
	}
	return nil
}

// aPort refuses a port that the box does not have.
func aPort(s *Sim, f *Fault) error {
	device, port, _ := strings.Cut(f.Target, ":")
	return s.hasPort(device, port)
}

// anEnd returns one end of a cable.
func anEnd(cable string) string {
	end, _, _ := strings.Cut(cable, " - ")
	return end
}

func darkenPort(f *injected) error {
	device, port, _ := strings.Cut(f.Target, ":")
	if err := f.sim.PortDown(device, port, true); err != nil {
		return err
	}
	f.mend(func() { f.complain(f.sim.PortDown(device, port, false)) })
	return nil
}
