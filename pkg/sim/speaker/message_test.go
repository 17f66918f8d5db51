package speaker

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

var (
	alice = newIdentity(netip.MustParseAddr("127.49.0.1"), netip.MustParseAddr("10.0.0.1"), 4200000001)
	bob   = newIdentity(netip.MustParseAddr("127.49.0.2"), netip.MustParseAddr("10.0.0.2"), 65002)
)

// across sends a message from alice to bob.
func across(t *testing.T, m *bgp.BGPMessage) *bgp.BGPMessage {
	t.Helper()
	b, err := m.Serialize()
	if err != nil {
		t.Fatal(err)
	}
	read, err := readMessage(bytes.NewReader(b), make([]byte, maxMessage))
	if err != nil {
		t.Fatal(err)
	}
	read.translate(alice, bob)
	got, err := bgp.ParseBGPMessage(read)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAnOpenSaysWhatIsConfigured(t *testing.T) {
	t.Parallel()
	m := bgp.NewBGPOpenMessage(bgp.AS_TRANS, 90, "127.49.0.1", []bgp.OptionParameterInterface{
		bgp.NewOptionParameterCapability([]bgp.ParameterCapabilityInterface{bgp.NewCapRouteRefresh(), bgp.NewCapFourOctetASNumber(placeholderAS)}),
	})
	open := across(t, m).Body.(*bgp.BGPOpen)
	as := open.OptParams[0].(*bgp.OptionParameterCapability).Capability[1].(*bgp.CapFourOctetASNumber).CapValue
	if !open.ID.Equal(net.IPv4(10, 0, 0, 1)) || as != hidden(4200000001) || open.MyAS != bgp.AS_TRANS {
		t.Errorf("id %s, AS %d and %d, want 10.0.0.1, %d and AS_TRANS", open.ID, as, open.MyAS, hidden(4200000001))
	}
}

func TestAPathSaysWhatIsConfigured(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ sent, want []uint32 }{
		"the sender's own number":         {[]uint32{placeholderAS, 65010}, []uint32{4200000001, 65010}},
		"what a policy has put before it": {[]uint32{65099, 65098, placeholderAS, 65010}, []uint32{4200000001, 65099, 65098, 65010}},
		"the receiver's number":           {[]uint32{placeholderAS, 65002}, []uint32{4200000001, placeholderAS}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{
				bgp.NewPathAttributeOrigin(0),
				bgp.NewPathAttributeAsPath([]bgp.AsPathParamInterface{bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, test.sent)}),
				bgp.NewPathAttributeNextHop("10.0.0.1"),
				bgp.NewPathAttributeOriginatorId("10.0.0.2"),
			}, []*bgp.IPAddrPrefix{bgp.NewIPAddrPrefix(24, "10.1.0.0")})
			attributes := across(t, m).Body.(*bgp.BGPUpdate).PathAttributes
			if got := attributes[1].(*bgp.PathAttributeAsPath).Value[0].GetAS(); !cmp.Equal(got, test.want) {
				t.Errorf("AS path %v, want %v", got, test.want)
			}
			if got := attributes[3].(*bgp.PathAttributeOriginatorId).Value; !got.Equal(net.IPv4(127, 49, 0, 2)) {
				t.Errorf("bob is told the originator %s, and would not know himself", got)
			}
		})
	}
}

// Whatever speakers say, a wire passes on: it neither breaks nor changes the length.
func FuzzTranslate(f *testing.F) {
	f.Add(byte(openMessage), []byte{4, 0, 0, 0, 90, 127, 49, 0, 1, 8, 2, 6, 65, 4, 255, 255, 255, 255})
	f.Add(byte(updateMessage), []byte{0, 0, 0, 9, 0x40, attrASPath, 6, 2, 1, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		if len(body) > maxMessage-headerLength {
			return
		}
		sent := append(bytes.Repeat([]byte{0xff}, 16), 0, 0, kind)
		sent = append(sent, body...)
		binary.BigEndian.PutUint16(sent[16:], uint16(len(sent)))
		m, err := readMessage(bytes.NewReader(sent), make([]byte, maxMessage))
		if err != nil {
			t.Fatal(err)
		}
		m.translate(alice, bob)
		if len(m) != len(sent) || m.kind() != kind {
			t.Fatalf("%x became %x", sent, m)
		}
	})
}

func TestAMessageOfAWrongLengthIsAnError(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]uint16{"shorter than its header": 18, "longer than BGP allows": 4097} {
		b := append(bytes.Repeat([]byte{0xff}, 16), byte(length>>8), byte(length), updateMessage)
		if _, err := readMessage(bytes.NewReader(append(b, make([]byte, 5000)...)), make([]byte, maxMessage)); err == nil {
			t.Errorf("a message %s was read", name)
		}
	}
}
