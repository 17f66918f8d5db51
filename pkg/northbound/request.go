package northbound

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"
)

// All is the target of who wants what all devices say.
const All = "*"

// Request is what a collector asks for by a Subscribe (gNMI specification §3.5.1.2).
type Request struct {
	Target      string // a device, or All
	Mode        gnmi.SubscriptionList_Mode
	Encoding    gnmi.Encoding
	UpdatesOnly bool
	Interests   []Interest // no two of them have the same source
}

// Interest is one path of a request.
type Interest struct {
	Source    Source
	Path      *gnmi.Path    // whole, with its origin, and without a target
	Suppress  bool          // samples leave out what has not changed
	Heartbeat time.Duration // after which a value is sent though it has not changed; 0: never
}

// Source is which subscription to a device an interest is served by: interests with the same source share one.
type Source struct {
	Path     string // origin and path, written down in one way
	Mode     gnmi.SubscriptionMode
	Every    time.Duration // between two samples; 0 with SAMPLE: as often as the device can
	Encoding gnmi.Encoding
}

// ParseRequest reads what a collector asks for. Errors: ErrInvalid, ErrUnsupported, ErrLimit.
func ParseRequest(list *gnmi.SubscriptionList) (*Request, error) {
	subs := list.GetSubscription()
	switch {
	case list == nil:
		return nil, fmt.Errorf("%w: the first message must have a subscription (gNMI specification §3.5.1.1)", ErrInvalid)
	case len(subs) == 0:
		return nil, fmt.Errorf("%w: a subscription needs at least one path (gNMI specification §3.5.1.2)", ErrInvalid)
	case len(subs) > MostPaths:
		return nil, fmt.Errorf("%w: %d paths in one subscription, at most %d are allowed; use several", ErrLimit, len(subs), MostPaths)
	}
	r := &Request{Mode: list.GetMode(), Encoding: list.GetEncoding(), UpdatesOnly: list.GetUpdatesOnly()}
	stream := r.Mode == gnmi.SubscriptionList_STREAM
	switch {
	case !stream && r.Mode != gnmi.SubscriptionList_ONCE && r.Mode != gnmi.SubscriptionList_POLL:
		return nil, fmt.Errorf("%w: there is no mode %d", ErrInvalid, r.Mode)
	case stream && len(list.GetUseModels()) > 0:
		return nil, fmt.Errorf("%w: use_models with STREAM, which is shared by collectors; subscribe to the paths that you want", ErrUnsupported)
	}
	var err error
	if r.Target, err = TargetOf(list.GetPrefix()); err != nil {
		return nil, err
	}
	known := map[Source]int{}
	for _, s := range subs {
		one, err := interestOf(list, s)
		if err != nil {
			return nil, err
		}
		i, again := known[one.Source]
		if !again {
			known[one.Source] = len(r.Interests)
			r.Interests = append(r.Interests, one)
			continue
		}
		was := &r.Interests[i]
		was.Suppress = was.Suppress && one.Suppress
		if one.Heartbeat > 0 {
			was.Heartbeat = min(cmp.Or(was.Heartbeat, one.Heartbeat), one.Heartbeat)
		}
	}
	return r, nil
}

// TargetOf is the device that a request is about, which its prefix names (gNMI specification §2.2.2.1). The specification lets a
// client leave that out; who serves many devices could not tell which one is meant.
func TargetOf(prefix *gnmi.Path) (string, error) {
	if t := prefix.GetTarget(); t != "" {
		return t, nil
	}
	return "", fmt.Errorf("%w: prefix.target is empty; give the name of a device, or * for all", ErrInvalid)
}

// shortest is the shortest heartbeat.
const shortest = time.Second

func interestOf(list *gnmi.SubscriptionList, s *gnmi.Subscription) (Interest, error) {
	path, err := WholePath(list.GetPrefix(), s.GetPath())
	if err != nil {
		return Interest{}, err
	}
	one := Interest{Path: path, Source: Source{Path: textOf(path), Encoding: list.GetEncoding()}}
	if list.GetMode() != gnmi.SubscriptionList_STREAM {
		return one, nil
	}
	every, heartbeat := time.Duration(s.GetSampleInterval()), time.Duration(s.GetHeartbeatInterval())
	one.Source.Mode, one.Heartbeat = s.GetMode(), heartbeat
	switch {
	case every < 0 || heartbeat < 0:
		return one, fmt.Errorf("%w: %s: an interval of more than 292 years", ErrInvalid, one.Source.Path)
	case heartbeat != 0 && heartbeat < shortest:
		return one, fmt.Errorf("%w: %s: heartbeat interval %v; the shortest is %v", ErrInvalid, one.Source.Path, heartbeat, shortest)
	}
	switch s.GetMode() {
	case gnmi.SubscriptionMode_SAMPLE:
		one.Source.Every, one.Suppress = every, s.GetSuppressRedundant()
		if !one.Suppress {
			one.Heartbeat = 0 // each sample is sent anyway
		}
	case gnmi.SubscriptionMode_TARGET_DEFINED, gnmi.SubscriptionMode_ON_CHANGE:
		if every != 0 {
			return one, fmt.Errorf("%w: %s: a sample interval goes with the mode SAMPLE alone (gNMI specification §3.5.1.5.2)", ErrInvalid, one.Source.Path)
		}
	default:
		return one, fmt.Errorf("%w: %s: there is no mode %d", ErrInvalid, one.Source.Path, s.GetMode())
	}
	return one, nil
}

// WholePath is a path behind its prefix, without a target. Where both have an origin, or a path of the prefix would be of
// another origin than what is behind it, that is an error (gNMI specification §2.7).
func WholePath(prefix, path *gnmi.Path) (*gnmi.Path, error) {
	//lint:ignore SA1019 it is looked at only to refuse it
	old := len(prefix.GetElement()) + len(path.GetElement())
	switch {
	case path.GetTarget() != "":
		return nil, fmt.Errorf("%w: a target belongs into the prefix (gNMI specification §2.2.2.1)", ErrInvalid)
	case old > 0:
		return nil, fmt.Errorf("%w: paths are given as elem; element is from gNMI 0.3", ErrInvalid)
	case prefix.GetOrigin() != "" && path.GetOrigin() != "":
		return nil, fmt.Errorf("%w: an origin both in prefix and path (gNMI specification §2.7)", ErrInvalid)
	case path.GetOrigin() != "" && len(prefix.GetElem()) > 0:
		return nil, fmt.Errorf("%w: a path with an origin behind a prefix without one (gNMI specification §2.7)", ErrInvalid)
	}
	out := &gnmi.Path{Origin: cmp.Or(prefix.GetOrigin(), path.GetOrigin())}
	for _, p := range []*gnmi.Path{prefix, path} {
		for _, e := range p.GetElem() {
			out.Elem = append(out.Elem, proto.Clone(e).(*gnmi.PathElem))
		}
	}
	return out, nil
}

// textOf writes a path in one way, whatever the order of its keys.
func textOf(p *gnmi.Path) string {
	var b strings.Builder
	if o := p.GetOrigin(); o != "" {
		b.WriteString(o + ":")
	}
	for _, e := range p.GetElem() {
		b.WriteString("/" + step(e))
	}
	if len(p.GetElem()) == 0 {
		b.WriteString("/")
	}
	return b.String()
}

// Version is that of gNMI that is spoken.
func Version() string {
	v, _ := proto.GetExtension(gnmi.File_github_com_openconfig_gnmi_proto_gnmi_gnmi_proto.Options(), gnmi.E_GnmiService).(string)
	return v
}

// Common is what devices can together: all models, in order, and the encodings that all of them speak. Of no device that is
// JSON_IETF, which every device speaks.
func Common(of []*gnmi.CapabilityResponse) (models []*gnmi.ModelData, encodings []gnmi.Encoding) {
	seen := map[string]bool{}
	count := map[gnmi.Encoding]int{}
	for _, c := range of {
		for _, m := range c.GetSupportedModels() {
			key := m.GetName() + "\n" + m.GetOrganization() + "\n" + m.GetVersion()
			if !seen[key] {
				seen[key] = true
				models = append(models, m)
			}
		}
		for _, e := range c.GetSupportedEncodings() {
			count[e]++
		}
	}
	slices.SortFunc(models, func(a, b *gnmi.ModelData) int {
		return cmp.Or(strings.Compare(a.GetName(), b.GetName()), strings.Compare(a.GetVersion(), b.GetVersion()), strings.Compare(a.GetOrganization(), b.GetOrganization()))
	})
	for e, n := range count {
		if n == len(of) {
			encodings = append(encodings, e)
		}
	}
	slices.Sort(encodings)
	if len(of) == 0 {
		encodings = []gnmi.Encoding{gnmi.Encoding_JSON_IETF}
	}
	return models, encodings
}
