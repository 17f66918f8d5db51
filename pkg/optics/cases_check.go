package optics

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// most of what a file may hold in one case. The work grows with channels squared times elements.
const (
	mostChannels = 2000
	mostElements = 2000
)

// plausible is what a number of a file can be: fibre as it is drawn, light from O to L band, transceivers up to some Tb/s. What is outside is
// a slip of unit or sign, and its answer would be nonsense.
type plausible struct {
	low, high float64
	unit      string
}

var ranges = map[string]plausible{
	"frequency_thz": {184, 238, "THz"}, "tx_power_dbm": {-40, 30, "dBm"}, "slot_ghz": {6.25, 5000, "GHz"}, "roll_off": {0, 1, ""},
	"baud_gbd": {1, 500, "GBd"}, "tx_osnr_db": {0, 100, "dB"}, "req_osnr_db": {-20, 60, "dB"},
	"rx_min_dbm": {-60, 30, "dBm"}, "rx_max_dbm": {-60, 40, "dBm"}, "cd_max": {0, 1e6, "ps/nm"}, "pmd_max_ps": {0, 1000, "ps"},
	"n_add_drop": {0, 100, ""}, "add_drop_osnr_db": {0, 100, "dB"},
	"loss_db": {0, 100, "dB"}, "gain_db": {0, 60, "dB"}, "nf_db": {-10, 30, "dB"}, "p_max_dbm": {-30, 40, "dBm"}, "voa_db": {0, 60, "dB"},
	"length_km": {0.001, 1000, "km"}, "loss_db_km": {0, 10, "dB/km"}, "con_in_db": {0, 60, "dB"}, "con_out_db": {0, 60, "dB"},
	"dispersion_ps_nm_km": {-500, 500, "ps/nm/km"}, "dispersion_slope_ps_nm2_km": {-10, 10, "ps/nm²/km"},
	"effective_area_um2": {10, 1000, "µm²"}, "pmd_coef_ps_sqrtkm": {0, 10, "ps/√km"},
	"cd_ps_nm": {0, 1e6, "ps/nm"}, "pmd_ps": {0, 1000, "ps"}, "rx_power_dbm": {-60, 40, "dBm"}, "penalty": {-10, 100, "dB"},
	"lumped km": {0, 1000, "km"}, "lumped dB": {0, 60, "dB"}, "loss_db_km_at THz": {150, 300, "THz"}, "loss_db_km_at dB/km": {0, 10, "dB/km"},
}

// with writes a number with the unit.
func (p plausible) with(x float64) string { return strings.TrimSpace(fmt.Sprintf("%g %s", x, p.unit)) }

// reader reads the numbers of one object, and keeps what is wrong with them.
type reader struct{ wrong []string }

// must reads a number that has to be there.
func (r *reader) must(key string, x *float64) float64 {
	if x == nil {
		r.wrong = append(r.wrong, key+" is missing")
		return 0
	}
	return r.may(key, *x)
}

// may reads a number that is there, or 0.
func (r *reader) may(key string, x float64) float64 {
	p, known := ranges[key]
	if !known {
		panic("no range of " + key)
	}
	if x != 0 && !(x >= p.low && x <= p.high) || math.IsNaN(x) {
		r.wrong = append(r.wrong, fmt.Sprintf("%s is %s; from %g to %s is plausible", key, p.with(x), p.low, p.with(p.high)))
	}
	return x
}

// notZero is must for a number whose range leaves 0 out.
func (r *reader) notZero(key string, x *float64) float64 {
	v := r.must(key, x)
	if p := ranges[key]; x != nil && v == 0 {
		r.wrong = append(r.wrong, fmt.Sprintf("%s is 0; from %g to %s is plausible", key, p.low, p.with(p.high)))
	}
	return v
}

func (r *reader) err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(r.wrong, "; "))
}

// checkSize holds a case to what can be carried through.
func (l *caseLine) checkSize() error {
	switch {
	case len(l.Line) == 0:
		return errors.New(`line is missing or empty: name at least one element, as {"type": "loss", "loss_db": 1}`)
	case len(l.Channels) == 0:
		return errors.New(`channels is missing or empty: name at least one, as {"frequency_thz": 193.1, "tx_power_dbm": 0, "mode": "400ZR"}`)
	case len(l.Line) > mostElements:
		return fmt.Errorf("%d elements on one line; %d at most", len(l.Line), mostElements)
	case len(l.Channels) > mostChannels:
		return fmt.Errorf("%d channels on one line; %d at most", len(l.Channels), mostChannels)
	}
	return nil
}

// checkSlots finds two channels whose slots overlap, where the file gives slots.
func (l *caseLine) checkSlots(channels []Channel) error {
	order := byFrequency(channels)
	for k := 1; k < len(order); k++ {
		a, b := l.Channels[order[k-1]], l.Channels[order[k]]
		if a.Slot == 0 || b.Slot == 0 {
			continue
		}
		fa, fb := float64(channels[order[k-1]].Frequency), float64(channels[order[k]].Frequency)
		if apart := (fb - fa) * 1e3; apart < (a.Slot+b.Slot)/2-1e-6 {
			return fmt.Errorf("slots of channels at %v and %v overlap: they are %g GHz apart, and slots of %g GHz and %g GHz need %g GHz",
				THz(fa), THz(fb), rounded(apart), a.Slot, b.Slot, (a.Slot+b.Slot)/2)
		}
	}
	return nil
}

// pair is two numbers in a list; JSON alone would let one, or three, pass.
type pair [2]float64

func (p *pair) UnmarshalJSON(data []byte) error {
	var list []float64
	if err := json.Unmarshal(data, &list); err != nil || len(list) != 2 {
		return fmt.Errorf("a pair of numbers is wanted, as [40, 1.5], and not %.40s", data)
	}
	*p = pair(list)
	return nil
}

// wanted says what a JSON decoder misses in the words of the format.
func wanted(err error) error {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err
	}
	what := kind.Type.String()
	switch what {
	case "float64":
		what = "a number"
	case "int":
		what = "a whole number"
	case "string":
		what = "a text"
	default:
		switch kind.Type.Kind().String() {
		case "slice", "array":
			what = "a list"
		case "struct", "map":
			what = "an object"
		}
	}
	article, field := "a", ""
	if strings.ContainsAny(kind.Value[:1], "aeiou") {
		article = "an"
	}
	if kind.Field != "" {
		field = kind.Field + ": "
	}
	return fmt.Errorf("%s%s %s where %s is wanted", field, article, kind.Value, what)
}
