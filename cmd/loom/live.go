package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/spf13/cobra"
)

// maxConnections bounds how many devices are spoken to at the same time.
const maxConnections = 32

// access is how a command reaches devices: the flags that override what the topology says.
type access struct {
	inventory string
	cert, key string                           // files of our certificate
	warn      func(format string, args ...any) // tells people beside the output
}

// accessFlags are those of a command that logs in to devices.
func accessFlags(c *cobra.Command) *access {
	a := inventoryFlag(c)
	c.Flags().StringVar(&a.cert, "cert", "", "`FILE` with our certificate (PEM), for devices that ask for one; wins over the inventory")
	c.Flags().StringVar(&a.key, "key", "", "`FILE` with its key")
	return a
}

// inventoryFlag is that of a command that only has to know where things are.
func inventoryFlag(c *cobra.Command) *access {
	a := &access{warn: c.PrintErrf}
	c.Flags().StringVar(&a.inventory, "inventory", "", "`FILE` with addresses, authority and login of the devices, as `loom sim` prints it")
	return a
}

// resolver knows where each device is and how to log in.
type resolver struct {
	entries            map[string]device.InventoryEntry
	ca                 *x509.CertPool
	certificate        *tls.Certificate // shown to devices that ask for one; nil: none
	username, password string
	election           uint64   // epoch of the lock on the fabric; 0 for who only reads
	sets               *setBook // of who changes devices; nil: nobody audits
}

// read reads the inventory, if one is named.
func (a *access) read() (device.Inventory, error) {
	if a.inventory == "" {
		return device.Inventory{}, nil
	}
	data, err := os.ReadFile(a.inventory)
	if errors.Is(err, fs.ErrNotExist) {
		return device.Inventory{}, fmt.Errorf("--inventory %s: no such file; name that with the addresses of the devices, which loom sim -o writes of simulated ones (loom sim wait waits for it)", a.inventory)
	}
	if err != nil {
		return device.Inventory{}, err
	}
	inv, err := device.ParseInventory(data)
	if err != nil {
		return device.Inventory{}, fmt.Errorf("%s: %w", a.inventory, err)
	}
	return inv, nil
}

// resolve reads the inventory and the login references once for all devices.
func (a *access) resolve(n *network) (*resolver, error) {
	inv, err := a.read()
	if err != nil {
		return nil, err
	}
	if inv, err = a.showing(inv); err != nil {
		return nil, err
	}
	r, err := newResolver(n.design.Login, inv)
	if err == nil && r.certificate != nil {
		if late := device.CheckCertificate(r.certificate, time.Now()); late != nil {
			return nil, fmt.Errorf("%s: %w", cmp.Or(a.cert, a.inventory), late)
		}
	}
	return r, err
}

func newResolver(login fabric.Login, inv device.Inventory) (*resolver, error) {
	r := resolverOf(inv)
	var err error
	if r.ca, err = authorities(login, inv); err != nil {
		return nil, err
	}
	if r.certificate, err = inv.Certificate(); err != nil {
		return nil, err
	}
	if r.username != "" {
		return r, nil
	}
	if r.username, err = secret(login.Username, "env:LOOM_USERNAME"); err != nil {
		return nil, fmt.Errorf("login: username: %w", err)
	}
	if r.password, err = secret(login.Password, "env:LOOM_PASSWORD"); err != nil {
		return nil, fmt.Errorf("login: password: %w", err)
	}
	return r, nil
}

// resolverOf knows addresses, and a login if the inventory has one; it trusts nobody yet.
func resolverOf(inv device.Inventory) *resolver {
	r := &resolver{entries: map[string]device.InventoryEntry{}, username: inv.Username, password: inv.Password}
	for _, e := range inv.Devices {
		r.entries[e.Name] = e
	}
	return r
}

// authorities are the inventory's, or the topology's.
func authorities(login fabric.Login, inv device.Inventory) (*x509.CertPool, error) {
	if inv.CA != "" {
		return inv.Pool()
	}
	if login.CA == "" {
		return nil, nil
	}
	pem, err := secret(login.CA, "")
	if err != nil {
		return nil, fmt.Errorf("login: ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, fmt.Errorf("login: ca: %s holds no PEM certificate", login.CA)
	}
	return pool, nil
}

// secret follows a reference: "env:NAME" or "file:PATH".
func secret(ref, fallback string) (string, error) {
	if ref == "" {
		ref = fallback
	}
	kind, name, _ := strings.Cut(ref, ":")
	switch kind {
	case "env":
		v, ok := os.LookupEnv(name)
		if !ok {
			return "", fmt.Errorf("environment variable %s is not set; set it, or refer to another under `login` in the topology", name)
		}
		return v, nil
	case "file":
		data, err := os.ReadFile(name)
		return strings.TrimRight(string(data), "\r\n"), err
	}
	return "", fmt.Errorf("%q is no reference; use env:NAME or file:PATH", ref)
}

// target says where one device is: the inventory first, then the topology.
func (r *resolver) target(d *fabric.Device) (device.Target, error) {
	drv := drivers[d.OS]
	t := device.Target{
		Name: d.Name, CA: r.ca, Fingerprint: d.Fingerprint, Certificate: r.certificate, Username: r.username, Password: r.password,
		Driver: drv, Release: d.Release, Election: r.election, Announce: r.sets.announce(d.Name),
	}
	e, listed := r.entries[d.Name]
	switch {
	case listed:
		t.Address = e.Address
		if e.Fingerprint != "" {
			t.Fingerprint = e.Fingerprint
		}
	case d.Management != (netip.Addr{}):
		t.Address = net.JoinHostPort(d.Management.String(), strconv.Itoa(drv.Manners.Port))
	default:
		return t, fmt.Errorf("%s: no management address; give its site a `management` prefix, or use --inventory", d.Name)
	}
	return t, nil
}

// live is one connected device with what Loom wants of it.
type live struct {
	*device.Device
	design   *fabric.Device // nil for a device of the journal
	intended *config.Tree
	scope    config.Scope // what Loom owns of it
	platform string
	version  string // of its software, as it writes it; "" for a device of the journal
	timed    bool   // it takes back by itself what is not confirmed; known once it was probed
	owner    string // what its mark says, once it was read: "topology/device", or ""
	known    atomic.Pointer[known]
	lent     func()          // gives back a connection that is somebody else's; nil: it is ours
	goes     map[string]bool // paths of what a change deletes that no tree has, beside what it changes in the trees

	goesAlone map[string]bool // the same, of a change that changes nothing in the trees
}

// known is what an answer of a device with this digest comes to, as long as the same is intended: that decides
// what is owned. A device that is read again and has not changed is not parsed again.
type known struct {
	answer          [sha256.Size]byte
	intended, owned *config.Tree // owned nil: not known
}

// connect dials the given devices side by side and checks that each is what the topology says. All
// that fail are in the error; the others are closed again.
func connect(ctx context.Context, n *network, r *resolver, names []string) (map[string]*live, error) {
	out := map[string]*live{}
	var mu sync.Mutex
	err := sideBySide(n.watch.meter("connected", len(names)), names, func(name string) error {
		l, err := dial(ctx, n, r, name)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out[name] = l
		return nil
	})
	if err != nil {
		closeAll(out)
		if len(out) > 0 {
			err = fmt.Errorf("%w\nmend it, or leave devices out with --limit", err)
		}
		return nil, err
	}
	return out, nil
}

func dial(ctx context.Context, n *network, r *resolver, name string) (*live, error) {
	d := n.design.Device(name)
	t, err := r.target(d)
	if err != nil {
		return nil, err
	}
	dev, err := device.Dial(ctx, t)
	if err != nil {
		return nil, err
	}
	id, err := dev.Identify(ctx)
	if err == nil {
		err = id.Check(d.Release, d.Platform.Name)
	}
	if err != nil {
		dev.Close()
		return nil, prefixed(name, err)
	}
	l := dialled(dev, d, n.trees[name])
	l.version = id.Version
	return l, nil
}

// Close ends the connection, or gives it back.
func (l *live) Close() error {
	if l.lent != nil {
		l.lent()
		return nil
	}
	return l.Device.Close()
}

// prefixed names the device unless the error already does.
func prefixed(name string, err error) error {
	if e := (*device.Error)(nil); errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

func closeAll(devices map[string]*live) {
	for _, l := range devices {
		l.Close()
	}
}

// sideBySide calls do for every name, a bounded number at a time, and joins what goes wrong.
func sideBySide(m *meter, names []string, do func(string) error) error {
	defer m.end()
	errs := make([]error, len(names))
	slots := make(chan struct{}, maxConnections)
	var wg sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(name)
			m.step()
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// running reads everything that may lie inside the scope.
func (l *live) running(ctx context.Context) (*config.Tree, []config.Unknown, error) {
	answer, err := l.ask(ctx)
	if err != nil {
		return nil, nil, err
	}
	l.known.Store(&known{answer: answer.Digest()})
	return answer.Tree()
}

// ask reads what running does, and leaves it as it came.
func (l *live) ask(ctx context.Context) (device.Answer, error) {
	var paths []config.Path
	for _, text := range l.Target().Driver.Manners.ReadPaths {
		p, err := config.ParsePath(text)
		if err != nil {
			return device.Answer{}, err
		}
		paths = append(paths, p)
	}
	return l.Ask(ctx, paths)
}

// remember tells what Loom owns of the configuration that running has just read.
func (l *live) remember(owned *config.Tree) {
	if k := l.known.Load(); k != nil {
		l.known.Store(&known{k.answer, l.intended, owned})
	}
}

// Read returns what Loom owns of the running configuration.
func (l *live) Read(ctx context.Context) (*config.Tree, error) {
	answer, err := l.ask(ctx)
	if err != nil {
		return nil, err
	}
	digest := answer.Digest()
	if k := l.known.Load(); k != nil && k.answer == digest && k.intended == l.intended && k.owned != nil {
		return k.owned, nil
	}
	if rest, ok := answer.Beside(l.intended); ok && l.ownsNothing(rest.Tree) {
		return l.arrived(digest, rest.Unknown)
	}
	tree, unknown, err := answer.Tree()
	if err != nil {
		return nil, err
	}
	owned := l.scope.Owned(tree, l.intended)
	if config.Equal(owned, l.intended) {
		return l.arrived(digest, unknown)
	}
	return owned, nil
}

// ownsNothing tells whether nothing of a tree is Loom's.
func (l *live) ownsNothing(t *config.Tree) bool {
	return l.scope.Owned(t, l.intended).Root().IsDefault()
}

// arrived is what Read returns of a device that has what is intended: the tree that is there anyway, as a fabric of copies
// would be large.
func (l *live) arrived(answer [sha256.Size]byte, unknown []config.Unknown) (*config.Tree, error) {
	if err := l.left(unknown, l.goes); err != nil {
		return nil, err
	}
	l.known.Store(&known{answer, l.intended, l.intended})
	return l.intended, nil
}

// left tells whether a device that has what is intended still has something that was to go, and that no tree has.
func (l *live) left(unknown []config.Unknown, goes map[string]bool) error {
	for _, u := range unknown {
		if goes[u.Path.String()] {
			return fmt.Errorf("%s: still has %s, which it was told to delete", l.Name(), u.Path)
		}
	}
	return nil
}

// saved tells whether startup follows the running configuration: whether commits are saved.
func (l *live) saved(running *config.Tree) bool {
	p, err := config.ParsePath(l.Target().Driver.Manners.SaveOn)
	if err != nil || len(p) == 0 {
		return true
	}
	if c := running.Find(p); c.Valid() {
		return c.Value() == "true"
	}
	return defaultOf(running.Schema(), p) == "true"
}

// defaultOf is what a leaf is by default; routers leave it out of their configuration then.
func defaultOf(s *config.Schema, p config.Path) string {
	id, ok := config.Root, true
	for _, e := range p {
		if id, ok = s.Child(id, e.Name); !ok {
			return ""
		}
	}
	return s.Nodes[id].Default
}

// Request is the smallest request that leads from one owned configuration to another. What is owned is judged by the
// design on the way back too: a port that the change has made goes as a whole, not leaf by leaf.
func (l *live) Request(from, to *config.Tree) *gnmi.SetRequest {
	intended := l.intended
	if intended == nil {
		intended = to
	}
	return config.SetRequest(from, to, func(c config.Cursor) bool { return l.scope.Covers(c, intended) })
}

// Arm sends the change as a commit that the device undoes unless it is confirmed. The same request
// turns saving off, so that an unconfirmed change cannot reach startup; Save turns it on again.
func (l *live) Arm(ctx context.Context, req *gnmi.SetRequest, id string, rollback time.Duration) error {
	return l.Device.Set(ctx, l.unsaved(req), &device.Commit{ID: id, Rollback: rollback})
}

// Set sends the change without a timer.
func (l *live) Set(ctx context.Context, req *gnmi.SetRequest) error {
	return l.Device.Set(ctx, l.unsaved(req), nil)
}

func (l *live) unsaved(req *gnmi.SetRequest) *gnmi.SetRequest {
	p, err := config.ParsePath(l.Target().Driver.Manners.SaveOn)
	if err != nil || len(p) == 0 {
		return req
	}
	no := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte("false")}}
	return &gnmi.SetRequest{
		Delete: req.Delete, Replace: req.Replace,
		Update: append(req.Update[:len(req.Update):len(req.Update)], &gnmi.Update{Path: p.GNMI(), Val: no}),
	}
}

// Save makes startup follow running and verifies it: a device that says "saved" is not believed. It
// returns the owned part of both. Where nobody can look at what a device starts with, it is the owned part of what
// runs, and plans say that the guarantee is weaker.
func (l *live) Save(ctx context.Context) (*config.Tree, error) {
	if l.Target().Driver.Manners.SaveOn != "" {
		if err := l.Device.Save(ctx); err != nil {
			return nil, err
		}
	}
	if l.Target().Driver.Manners.StartupFile == "" {
		return l.Read(ctx)
	}
	running, startup, asIntended, err := l.Both(ctx, l.intended)
	if err == nil && asIntended && !l.ownsNothing(running.Tree) {
		running, startup, asIntended, err = l.Both(ctx, nil) // there is more that is Loom's: where the device is, all of it tells
	}
	if err != nil {
		return nil, err
	}
	var places []string
	for _, c := range config.Diff(startup.Tree, running.Tree) {
		places = append(places, c.At.String())
	}
	if places = append(places, config.DiffUnknown(startup.Unknown, running.Unknown)...); len(places) > 0 {
		return nil, fmt.Errorf("startup differs from running in %d places, first %s", len(places), places[0])
	}
	switch {
	case l.intended == nil:
		return running.Tree, nil
	case asIntended:
		return l.intended, nil
	}
	return l.scope.Owned(running.Tree, l.intended), nil
}
