package optics

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// reference is testdata/reference.json: lines with the figures that GNPy 2.14.1 computes for them.
type reference struct {
	Cases []struct {
		ID     string
		Expect struct {
			Feasible bool
			Fails    []string
			Worst    float64 `json:"worst_margin_db"`
			Trace    []map[string]any
			Channels []map[string]any `json:"per_channel"`
		}
	}
}

func none(string) (*Mode, bool) { return nil, false }

func TestReferenceLines(t *testing.T) {
	t.Parallel()
	answers, want := evaluated(t, "testdata/reference.json")
	if len(answers) != len(want.Cases) || len(answers) != 6 {
		t.Fatalf("%d answers to %d cases", len(answers), len(want.Cases))
	}
	for i, c := range want.Cases {
		t.Run(c.ID, func(t *testing.T) {
			a := answers[i].(map[string]any)
			if a["id"] != c.ID || a["feasible"] != c.Expect.Feasible || !slices.Equal(texts(a["fails"]), c.Expect.Fails) {
				t.Errorf("verdict %v %v of %v; want %v %v", a["feasible"], a["fails"], a["id"], c.Expect.Feasible, c.Expect.Fails)
			}
			near(t, "worst margin", a["worst_margin_db"], c.Expect.Worst)
			compare(t, a["per_channel"].([]any), c.Expect.Channels)
			compare(t, a["trace"].([]any), c.Expect.Trace)
		})
	}
}

// TestLinesDrawnAtRandom have mixed rates and slots, amplifiers at their limit, losses that depend on frequency or lie in one
// place, slopes of dispersion, and ROADMs at their ends.
func TestLinesDrawnAtRandom(t *testing.T) {
	t.Parallel()
	answers, want := evaluated(t, "testdata/mixed.json")
	for i, c := range want.Cases {
		t.Run(c.ID, func(t *testing.T) {
			compare(t, answers[i].(map[string]any)["per_channel"].([]any), c.Expect.Channels)
		})
	}
}

// evaluated is a file evaluated, and what its figures should be.
func evaluated(t *testing.T, file string) ([]any, reference) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want reference
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	cases, err := ParseCases(data)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := cases.Evaluate(none)
	if err != nil {
		t.Fatal(err)
	}
	return asMap(t, answers)["cases"].([]any), want
}

// compare holds every figure that is expected against the one that came.
func compare(t *testing.T, got []any, want []map[string]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d of %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i].(map[string]any)
		for key, v := range w {
			if _, ok := v.(float64); ok {
				near(t, key, g[key], v)
			} else if !reflect.DeepEqual(g[key], v) {
				t.Errorf("%d %s: %v, want %v", i, key, g[key], v)
			}
		}
	}
}

// near allows what is left of rounding to a millionth: a thousandth of what is promised.
func near(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, ok := got.(float64); !ok || math.Abs(g-want.(float64)) > 2e-6 {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func asMap(t *testing.T, v any) map[string]any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func texts(v any) []string {
	out := []string{}
	for _, x := range v.([]any) {
		out = append(out, x.(string))
	}
	return out
}

// oneCase is a file of one case: 80 km of fibre with whatever else is said.
func oneCase(mode, line, channel string) string {
	return `{"modes": {"m": {"baud_gbd": 60, "tx_osnr_db": 34, "req_osnr_db": 24, "rx_min_dbm": -30, "rx_max_dbm": 0, "cd_max": 2000, "pmd_max_ps": 10` + mode + `}},
"cases": [{"id": "x", "line": [` + line + `], "channels": [{"frequency_thz": 193.1, "tx_power_dbm": 0, "mode": "m"` + channel + `}]}]}`
}

const fibre80 = `{"type": "fiber", "length_km": 80, "loss_db_km": 0.2, "dispersion_ps_nm_km": 17, "effective_area_um2": 83}`

func TestWhatACaseCanSayBeside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, mode, line, channel string
		key                       string
		want                      any
	}{
		{"a lumped loss weakens the light", "", strings.Replace(fibre80, "80,", `80, "lumped": [[40, 1.5]],`, 1), "", "rx_power_dbm", -17.5},
		{"a fibre whose loss depends on the frequency has that between two points", "",
			strings.Replace(fibre80, `"loss_db_km": 0.2`, `"loss_db_km_at": [[193, 0.2], [194, 0.3]]`, 1), "", "rx_power_dbm", -16.8},
		{"no amplifier, no limit of OSNR", "", fibre80, "", "osnr_01nm_db", nil},
		{"a penalty by dispersion lies between two points", `, "penalties": {"cd_ps_nm": [[0, 0], [1000, 0], [2000, 1]]}`, fibre80, "", "penalties_db", 0.36},
		{"outside its table the penalty is infinite, and so is what is missing", `, "penalties": {"rx_power_dbm": [[-10, 1], [0, 0]]}`, fibre80, "", "margin_db", nil},
		{"too much dispersion fails by that", "", strings.Replace(fibre80, "80,", "120,", 1), "", "fails", []any{"cd"}},
		{"outside its table noise fails as well", `, "penalties": {"cd_ps_nm": [[0, 0], [2000, 0]]}`, strings.Replace(fibre80, "80,", "120,", 1), "", "fails", []any{"gsnr", "cd"}},
		{"a channel can have another transmitter than its mode", "", fibre80, `, "tx_osnr_db": 20`, "fails", []any{"gsnr"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cases, err := ParseCases([]byte(oneCase(c.mode, c.line, c.channel)))
			if err != nil {
				t.Fatal(err)
			}
			a, err := cases.Evaluate(none)
			if err != nil {
				t.Fatal(err)
			}
			got := asMap(t, a)["cases"].([]any)[0].(map[string]any)["per_channel"].([]any)[0].(map[string]any)[c.key]
			if want, ok := c.want.(float64); ok {
				near(t, c.key, got, want)
			} else if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: %v, want %v", c.key, got, c.want)
			}
		})
	}
}

func TestEveryAddAndDropCostsItsOSNR(t *testing.T) {
	t.Parallel()
	text := strings.Replace(oneCase("", fibre80, ""), `"id": "x"`, `"id": "x", "n_add_drop": 2, "add_drop_osnr_db": 33`, 1)
	cases, err := ParseCases([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cases.Evaluate(none)
	if err != nil {
		t.Fatal(err)
	}
	// 1 / (10^-3.4 + 2 × 10^-3.3)
	want := -10 * math.Log10(math.Pow(10, -3.4)+2*math.Pow(10, -3.3))
	near(t, "OSNR", float64(a.Cases[0].Channels[0].OSNRWithTx), want)
}

func TestMistakesInCases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"no JSON", "{\n \"cases\": [}", `2:12: invalid character '}' looking for beginning of value`},
		{"a text for a number", strings.Replace(oneCase("", fibre80, ""), "193.1", `"193.1"`, 1), `2:178: cases.channels.frequency_thz: a string where a number is wanted`},
		{"no cases", `{}`, "1:1: no cases: write"},
		{"an element of a kind that is not known", oneCase("", `{"type": "raman"}`, ""), `case "x": element 1 (raman): type "raman" is none of loss, edfa, fiber`},
		{"an amplifier without its noise", oneCase("", `{"type": "edfa", "gain_db": 10, "p_max_dbm": 20}`, ""), `case "x": element 1 (edfa): nf_db is missing`},
		{"a mode that nobody knows", strings.Replace(oneCase("", fibre80, ""), `"mode": "m"`, `"mode": "400XR"`, 1), `case "x": channel 1, at 193.1 THz: mode "400XR" is neither defined`},
		{"a fibre shorter than nothing", oneCase("", strings.Replace(fibre80, "80,", "-1,", 1), ""), `case "x": element 1 (fiber): length_km is -1 km; from 0.001 to 1000 km is plausible`},
		{"GHz for THz", strings.Replace(oneCase("", fibre80, ""), "193.1", "193100", 1), `case "x": channel 1: frequency_thz is 193100 THz; from 184 to 238 THz is plausible`},
		{"a wavelength in nm for a frequency", strings.Replace(oneCase("", fibre80, ""), "193.1", "1550.12", 1), `case "x": channel 1: frequency_thz is 1550.12 THz; from 184 to 238 THz is plausible`},
		{"no frequency and no power", strings.Replace(oneCase("", fibre80, ""), `"frequency_thz": 193.1, "tx_power_dbm": 0, `, "", 1), `case "x": channel 1: frequency_thz is missing; tx_power_dbm is missing`},
		{"a frequency of 0", strings.Replace(oneCase("", fibre80, ""), "193.1", "0", 1), `case "x": channel 1: frequency_thz is 0; from 184 to 238 THz is plausible`},
		{"a power in mW", strings.Replace(oneCase("", fibre80, ""), `"tx_power_dbm": 0`, `"tx_power_dbm": 100`, 1), `case "x": channel 1: tx_power_dbm is 100 dBm; from -40 to 30 dBm is plausible`},
		{"a channel without a mode", strings.Replace(oneCase("", fibre80, ""), `, "mode": "m"`, "", 1), `case "x": channel 1, at 193.1 THz: mode is missing`},
		{"no channels", `{"cases": [{"id": "x", "line": [` + fibre80 + `], "channels": []}]}`, `case "x": channels is missing or empty: name at least one`},
		{"no line, and no id", `{"cases": [{"channels": [{"frequency_thz": 193.1}]}]}`, `case 1: line is missing or empty: name at least one element`},
		{"channels without end", `{"cases": [{"id": "x", "line": [` + fibre80 + `], "channels": [{}` + strings.Repeat(", {}", 2000) + `]}]}`, `case "x": 2001 channels on one line; 2000 at most`},
		{"more adding and dropping than there is", strings.Replace(oneCase("", fibre80, ""), `"id": "x"`, `"id": "x", "n_add_drop": 1000000, "add_drop_osnr_db": 33`, 1), `case "x": n_add_drop is 1e+06; from 0 to 100 is plausible`},
		{"half an add/drop", strings.Replace(oneCase("", fibre80, ""), `"id": "x"`, `"id": "x", "n_add_drop": 2.5`, 1), `2:39: cases.n_add_drop: a number 2.5 where a whole number is wanted`},
		{"NaN", strings.Replace(oneCase("", fibre80, ""), "193.1", "NaN", 1), `2:172: invalid character 'N' looking for beginning of value`},
		{"a text in an element", oneCase("", strings.Replace(fibre80, "80,", `"NaN",`, 1), ""), `case "x": element 1 (fiber): length_km: a string where a number is wanted`},
		{"an element without a type", oneCase("", `{"loss_db": 3}`, ""), `case "x": element 1 (?): type is missing: one of loss, edfa, fiber`},
		{"a fibre that nobody has measured", oneCase("", `{"type": "fiber", "length_km": 80}`, ""),
			`case "x": element 1 (fiber): dispersion_ps_nm_km is missing; effective_area_um2 is missing; loss_db_km, or loss_db_km_at, is missing`},
		{"metres for kilometres", oneCase("", strings.Replace(fibre80, "80,", "80000,", 1), ""), `case "x": element 1 (fiber): length_km is 80000 km; from 0.001 to 1000 km is plausible`},
		{"a lumped loss without its place", oneCase("", strings.Replace(fibre80, "80,", `80, "lumped": [[1.5]],`, 1), ""), `case "x": element 1 (fiber): a pair of numbers is wanted, as [40, 1.5], and not [1.5]`},
		{"a list for an element", oneCase("", `[]`, ""), `case "x": element 1 (?): an array where an object is wanted`},
		{"a gain below nothing", oneCase("", `{"type": "edfa", "gain_db": -10, "nf_db": 5, "p_max_dbm": 20}`, ""), `case "x": element 1 (edfa): gain_db is -10 dB; from 0 to 60 dB is plausible`},
		{"a mode without what it needs", strings.Replace(oneCase("", fibre80, ""), `"req_osnr_db": 24, `, "", 1), `case "x": channel 1, at 193.1 THz: mode "m": req_osnr_db is missing`},
		{"a symbol rate in Hz", strings.Replace(oneCase("", fibre80, ""), `"baud_gbd": 60`, `"baud_gbd": 60e9`, 1), `case "x": channel 1, at 193.1 THz: mode "m": baud_gbd is 6e+10 GBd; from 1 to 500 GBd is plausible`},
		{"two channels on one frequency", strings.Replace(oneCase("", fibre80, ""), `"channels": [`, `"channels": [{"frequency_thz": 193.1, "tx_power_dbm": 0, "mode": "m"}, `, 1),
			`case "x": channels at 193.1 THz and 193.1 THz overlap`},
		{"slots that overlap", strings.Replace(oneCase("", fibre80, `, "slot_ghz": 75`), `"channels": [`, `"channels": [{"frequency_thz": 193.17, "tx_power_dbm": 0, "mode": "m", "slot_ghz": 75}, `, 1),
			`case "x": slots of channels at 193.1 THz and 193.17 THz overlap: they are 70 GHz apart, and slots of 75 GHz and 75 GHz need 75 GHz`},
		{"a frequency outside the fibre's table", oneCase("", strings.Replace(fibre80, `"loss_db_km": 0.2`, `"loss_db_km_at": [[194, 0.2], [195, 0.3]]`, 1), ""),
			`case "x": element 1: no attenuation is known at 193.1 THz`},
		{"two channels in one place", strings.Replace(oneCase("", fibre80, ""), `"channels": [`, `"channels": [{"frequency_thz": 193.12, "tx_power_dbm": 0, "mode": "m"}, `, 1),
			`case "x": channels at 193.1 THz and 193.12 THz overlap`},
		{"add/drops without their OSNR", strings.Replace(oneCase("", fibre80, ""), `"id": "x"`, `"id": "x", "n_add_drop": 2`, 1), `case "x": n_add_drop 2 needs add_drop_osnr_db`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cases, err := ParseCases([]byte(c.text))
			if err == nil {
				_, err = cases.Evaluate(none)
			}
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

func TestTheModesOfAFileAreThoseThatItWasMadeOf(t *testing.T) {
	t.Parallel()
	mode := Mode{Name: "m", Rate: 400, Baud: 60, RollOff: 0.2, TxOSNR: 34, RequiredOSNR: 24, RxMin: -12, RxMax: 1, MaxCD: 2000, MaxPMD: 10, Source: "here",
		Penalties: Penalties{CD: Penalty{{0, 0}, {2000, 0.5}}}}
	data, err := json.Marshal(ModesAlone([]Mode{mode}))
	if err != nil {
		t.Fatal(err)
	}
	var c Cases
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	if got, err := c.named("m", none); err != nil || !reflect.DeepEqual(got, mode) {
		t.Errorf("%+v %v\n%s", got, err, data)
	}
}
