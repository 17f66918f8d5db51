package optics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Cases are lines with their channels, as planners exchange them: the input of `loom optics evaluate`.
// Every key carries its unit.
type Cases struct {
	Modes map[string]caseMode `json:"modes"`
	Cases []caseLine          `json:"cases,omitempty"`
}

// ModesAlone is a file without cases: modes, to begin one with.
func ModesAlone(modes []Mode) *Cases {
	c := &Cases{Modes: map[string]caseMode{}}
	for _, m := range modes {
		c.Modes[m.Name] = caseMode{
			Rate: m.Rate, Baud: float64(m.Baud), RollOff: m.RollOff, TxOSNR: float64(m.TxOSNR), ReqOSNR: float64(m.RequiredOSNR),
			RxMin: float64(m.RxMin), RxMax: float64(m.RxMax), MaxCD: m.MaxCD, MaxPMD: m.MaxPMD, Source: m.Source,
			Penalties: casePenalty{CD: pairs(m.Penalties.CD), PMD: pairs(m.Penalties.PMD), RxPower: pairs(m.Penalties.RxPower)},
		}
	}
	return c
}

func pairs(t Penalty) [][2]float64 {
	var out [][2]float64
	for _, p := range t {
		out = append(out, [2]float64{p.Value, float64(p.Loss)})
	}
	return out
}

type caseMode struct {
	Rate      int         `json:"rate"`
	Baud      float64     `json:"baud_gbd"`
	RollOff   float64     `json:"roll_off"`
	TxOSNR    float64     `json:"tx_osnr_db"`
	ReqOSNR   float64     `json:"req_osnr_db"`
	RxMin     float64     `json:"rx_min_dbm"`
	RxMax     float64     `json:"rx_max_dbm"`
	MaxCD     float64     `json:"cd_max"`
	MaxPMD    float64     `json:"pmd_max_ps"`
	Penalties casePenalty `json:"penalties,omitzero"`
	Source    string      `json:"src,omitempty"`
}

type casePenalty struct {
	CD      [][2]float64 `json:"cd_ps_nm,omitempty"`
	PMD     [][2]float64 `json:"pmd_ps,omitempty"`
	RxPower [][2]float64 `json:"rx_power_dbm,omitempty"`
}

type caseLine struct {
	ID          string            `json:"id"`
	Line        []json.RawMessage `json:"line"`
	Channels    []caseChannel     `json:"channels"`
	AddDrops    int               `json:"n_add_drop"`
	AddDropOSNR *float64          `json:"add_drop_osnr_db"`
}

type caseChannel struct {
	Frequency float64  `json:"frequency_thz"`
	Baud      float64  `json:"baud_gbd"`
	RollOff   float64  `json:"roll_off"`
	TxPower   float64  `json:"tx_power_dbm"`
	TxOSNR    *float64 `json:"tx_osnr_db"`
	Mode      string   `json:"mode"`
}

// Answers are what becomes of the channels of each case.
type Answers struct {
	Cases []Answer `json:"cases"`
}

// Answer is what becomes of the channels of one case. What is infinite is null in JSON.
type Answer struct {
	ID       string          `json:"id"`
	Feasible bool            `json:"feasible"`
	Worst    decibel         `json:"worst_margin_db"`
	Fails    []string        `json:"fails"` // of all channels, by name
	Channels []AnswerChannel `json:"per_channel"`
	Trace    []AnswerStage   `json:"trace,omitempty"` // behind each element
}

// AnswerChannel is one channel at the receiver.
type AnswerChannel struct {
	Frequency  float64  `json:"frequency_thz"`
	RxPower    decibel  `json:"rx_power_dbm"`
	Signal     decibel  `json:"signal_power_dbm"`
	OSNR       decibel  `json:"osnr_01nm_db"`
	OSNRWide   decibel  `json:"osnr_sigbw_db"`
	SNR        decibel  `json:"snr_nli_sigbw_db"`
	GSNRWide   decibel  `json:"gsnr_sigbw_db"`
	GSNR       decibel  `json:"gsnr_01nm_db"`
	GSNRWithTx decibel  `json:"gsnr_01nm_with_tx_db"`
	OSNRWithTx decibel  `json:"osnr_01nm_with_tx_db"`
	CD         float64  `json:"cd_ps_nm"`
	PMD        float64  `json:"pmd_ps"`
	Latency    float64  `json:"latency_ms"`
	Penalties  decibel  `json:"penalties_db"`
	Margin     decibel  `json:"margin_db"`
	Fails      []string `json:"fails"`
}

// AnswerStage is the comb behind one element.
type AnswerStage struct {
	Type  string   `json:"type"`
	Total decibel  `json:"ptot_out_dbm"`
	First decibel  `json:"pch_first_dbm"`
	Last  decibel  `json:"pch_last_dbm"`
	Gain  *decibel `json:"effective_gain_db,omitempty"`
	Input *decibel `json:"pin_dbm,omitempty"`
}

// decibel is written to a millionth, and as null where it is infinite: OSNR without an amplifier.
type decibel float64

func (d decibel) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(d), 0) || math.IsNaN(float64(d)) {
		return []byte("null"), nil
	}
	return json.Marshal(rounded(float64(d)))
}

func rounded(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// ParseCases reads lines and channels. Keys that it does not know are ignored; an element of a kind that it
// does not know is not.
func ParseCases(data []byte) (*Cases, error) {
	var c Cases
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, located(data, err)
	}
	if len(c.Cases) == 0 {
		return nil, errors.New(`1:1: no cases: write {"modes": {…}, "cases": [{"id": …, "line": […], "channels": […]}]}`)
	}
	return &c, nil
}

// located adds line and column to what the JSON decoder says.
func located(data []byte, err error) error {
	at := int64(-1)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
		err = errors.New(syntax.Error())
	case errors.As(err, &kind):
		at = kind.Offset
		err = fmt.Errorf("%s: a %s where %s is wanted", kind.Field, kind.Value, kind.Type)
	}
	if at < 0 || at > int64(len(data)) {
		return fmt.Errorf("1:1: %w", err)
	}
	before := data[:at]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Errorf("%d:%d: %w", line, max(1, len(before)-bytes.LastIndexByte(before, '\n')-1), err)
}

// Evaluate carries the channels of every case over its line. known finds modes that the cases do not define.
func (c *Cases) Evaluate(known func(name string) (*Mode, bool)) (*Answers, error) {
	out := &Answers{Cases: make([]Answer, len(c.Cases))}
	for i := range c.Cases {
		a, err := c.evaluate(&c.Cases[i], known)
		if err != nil {
			return nil, fmt.Errorf("case %q: %w", c.Cases[i].ID, err)
		}
		out.Cases[i] = *a
	}
	return out, nil
}

func (c *Cases) evaluate(l *caseLine, known func(string) (*Mode, bool)) (*Answer, error) {
	line, kinds, err := l.elements()
	if err != nil {
		return nil, err
	}
	if l.AddDrops < 0 || (l.AddDrops > 0 && l.AddDropOSNR == nil) {
		return nil, fmt.Errorf("n_add_drop %d needs add_drop_osnr_db", l.AddDrops)
	}
	var ends AddDrop
	if l.AddDrops > 0 {
		ends = AddDrop{Times: l.AddDrops, OSNR: DB(*l.AddDropOSNR)}
	}
	modes, channels := make([]Mode, len(l.Channels)), make([]Channel, len(l.Channels))
	for i, ch := range l.Channels {
		if modes[i], err = c.mode(ch, known); err != nil {
			return nil, fmt.Errorf("channel at %v THz: %w", ch.Frequency, err)
		}
		channels[i] = Channel{Frequency: THz(ch.Frequency), Baud: modes[i].Baud, TxPower: DBm(ch.TxPower)}
	}
	p, err := NewPropagator(channels)
	if err != nil {
		return nil, err
	}
	a := &Answer{ID: l.ID, Worst: decibel(math.Inf(1)), Channels: make([]AnswerChannel, len(channels)), Trace: make([]AnswerStage, 0, len(line))}
	if err := p.Run(line, func(i int, s Stage) { a.Trace = append(a.Trace, answerStage(kinds[i], s)) }); err != nil {
		return nil, err
	}
	var fails Fails
	for i, ch := range channels {
		light := p.At(i)
		v := modes[i].Judge(light, ends)
		fails |= v.Fails
		a.Worst = min(a.Worst, decibel(v.Margin))
		a.Channels[i] = answerChannel(ch, light, v)
	}
	a.Fails, a.Feasible = fails.Names(), fails == 0
	slices.Sort(a.Fails)
	return a, nil
}

// mode is that of a channel, with what the channel says otherwise.
func (c *Cases) mode(ch caseChannel, known func(string) (*Mode, bool)) (Mode, error) {
	m, err := c.named(ch.Mode, known)
	if err != nil {
		return m, err
	}
	if ch.Baud != 0 {
		m.Baud = GHz(ch.Baud)
	}
	if ch.TxOSNR != nil {
		m.TxOSNR = DB(*ch.TxOSNR)
	}
	return m, m.Check()
}

func (c *Cases) named(name string, known func(string) (*Mode, bool)) (Mode, error) {
	m, ok := c.Modes[name]
	if !ok {
		if own, ok := known(name); ok {
			return *own, nil
		}
		return Mode{}, fmt.Errorf("mode %q is neither defined under modes nor one of Loom's own (loom optics modes lists them)", name)
	}
	return Mode{
		Name: name, Rate: m.Rate, Baud: GHz(m.Baud), RollOff: m.RollOff, TxOSNR: DB(m.TxOSNR), RequiredOSNR: DB(m.ReqOSNR),
		RxMin: DBm(m.RxMin), RxMax: DBm(m.RxMax), MaxCD: m.MaxCD, MaxPMD: m.MaxPMD, Source: m.Source,
		Penalties: Penalties{CD: points(m.Penalties.CD), PMD: points(m.Penalties.PMD), RxPower: points(m.Penalties.RxPower)},
	}, nil
}

func points(pairs [][2]float64) Penalty {
	var out Penalty
	for _, p := range pairs {
		out = append(out, PenaltyAt{p[0], DB(p[1])})
	}
	return out
}

func answerStage(kind string, s Stage) AnswerStage {
	a := AnswerStage{Type: kind, Total: decibel(s.Total), First: decibel(s.First), Last: decibel(s.Last)}
	if kind == "edfa" {
		gain, in := decibel(s.Gain), decibel(s.Input)
		a.Gain, a.Input = &gain, &in
	}
	return a
}

func answerChannel(ch Channel, l Light, v Verdict) AnswerChannel {
	wide := decibel(toDB(float64(ch.Baud) * 1e9 / referenceWidth))
	return AnswerChannel{
		Frequency: float64(ch.Frequency), RxPower: decibel(l.Power), Signal: decibel(dbm(l.Power.watts() * l.Signal)),
		OSNR: decibel(l.OSNR(ch.Baud)), OSNRWide: decibel(l.OSNR(ch.Baud)) - wide, SNR: decibel(l.SNR()),
		GSNRWide: decibel(l.GSNR(ch.Baud)) - wide, GSNR: decibel(l.GSNR(ch.Baud)), GSNRWithTx: decibel(v.GSNR), OSNRWithTx: decibel(v.OSNR),
		CD: rounded(l.Dispersion), PMD: rounded(l.PMD), Latency: rounded(l.Latency), Penalties: decibel(v.Penalty), Margin: decibel(v.Margin), Fails: v.Fails.Names(),
	}
}

// caseElement has the keys of all kinds of elements; a pointer where 0 says something else than nothing.
type caseElement struct {
	Type       string       `json:"type"`
	Loss       *float64     `json:"loss_db"`
	Gain       *float64     `json:"gain_db"`
	NF         *float64     `json:"nf_db"`
	MaxOutput  *float64     `json:"p_max_dbm"`
	VOA        float64      `json:"voa_db"`
	Length     *float64     `json:"length_km"`
	LossPerKm  *float64     `json:"loss_db_km"`
	LossAt     [][2]float64 `json:"loss_db_km_at"`
	In         float64      `json:"con_in_db"`
	Out        float64      `json:"con_out_db"`
	Dispersion *float64     `json:"dispersion_ps_nm_km"`
	Slope      float64      `json:"dispersion_slope_ps_nm2_km"`
	Area       *float64     `json:"effective_area_um2"`
	PMD        float64      `json:"pmd_coef_ps_sqrtkm"`
	Lumped     [][2]float64 `json:"lumped"`
}

func (l *caseLine) elements() ([]Element, []string, error) {
	var line []Element
	var kinds []string
	for i, raw := range l.Line {
		var e caseElement
		err := json.Unmarshal(raw, &e)
		var el Element
		if err == nil {
			el, err = e.element()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("element %d (%s): %w", i+1, e.Type, err)
		}
		line, kinds = append(line, el), append(kinds, e.Type)
	}
	return line, kinds, nil
}

func (e *caseElement) element() (Element, error) {
	switch e.Type {
	case "loss":
		return Loss{DB(value(e.Loss))}, needs("loss_db", e.Loss)
	case "edfa":
		return Amplifier{Gain: DB(value(e.Gain)), NoiseFigure: DB(value(e.NF)), MaxOutput: DBm(value(e.MaxOutput)), VOA: DB(e.VOA)},
			errors.Join(needs("gain_db", e.Gain), needs("nf_db", e.NF), needs("p_max_dbm", e.MaxOutput))
	case "fiber":
		f := Fiber{Length: Km(value(e.Length)), ConnectorIn: DB(e.In), ConnectorOut: DB(e.Out), Dispersion: value(e.Dispersion), Slope: e.Slope,
			Area: value(e.Area), PMD: e.PMD}
		for _, p := range e.LossAt {
			f.Loss = append(f.Loss, LossAt{THz(p[0]), DB(p[1])})
		}
		if e.LossPerKm != nil {
			if len(f.Loss) > 0 {
				return nil, errors.New("loss_db_km and loss_db_km_at: give one of them")
			}
			f.Loss = []LossAt{{PerKm: DB(*e.LossPerKm)}}
		}
		for _, p := range e.Lumped {
			f.Lumped = append(f.Lumped, LumpedLoss{Km(p[0]), DB(p[1])})
		}
		return f, errors.Join(needs("length_km", e.Length), needs("dispersion_ps_nm_km", e.Dispersion), needs("effective_area_um2", e.Area))
	}
	return nil, fmt.Errorf("type %q is none of loss, edfa, fiber", e.Type)
}

func value(x *float64) float64 {
	if x == nil {
		return 0
	}
	return *x
}

func needs(key string, x *float64) error {
	if x == nil {
		return fmt.Errorf("%s is missing", key)
	}
	return nil
}
