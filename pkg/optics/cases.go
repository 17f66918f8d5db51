package optics

import (
	"bytes"
	"cmp"
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
			Rate: m.Rate, Baud: number(m.Baud), RollOff: m.RollOff, TxOSNR: number(m.TxOSNR), ReqOSNR: number(m.RequiredOSNR),
			RxMin: number(m.RxMin), RxMax: number(m.RxMax), MaxCD: number(m.MaxCD), MaxPMD: number(m.MaxPMD), Source: m.Source,
			Penalties: casePenalty{CD: pairs(m.Penalties.CD), PMD: pairs(m.Penalties.PMD), RxPower: pairs(m.Penalties.RxPower)},
		}
	}
	return c
}

func number[T ~float64](x T) *float64 {
	out := float64(x)
	return &out
}

func pairs(t Penalty) []pair {
	var out []pair
	for _, p := range t {
		out = append(out, pair{p.Value, float64(p.Loss)})
	}
	return out
}

type caseMode struct {
	Rate      int         `json:"rate"`
	Baud      *float64    `json:"baud_gbd"`
	RollOff   float64     `json:"roll_off"`
	TxOSNR    *float64    `json:"tx_osnr_db"`
	ReqOSNR   *float64    `json:"req_osnr_db"`
	RxMin     *float64    `json:"rx_min_dbm"`
	RxMax     *float64    `json:"rx_max_dbm"`
	MaxCD     *float64    `json:"cd_max"`
	MaxPMD    *float64    `json:"pmd_max_ps"`
	Penalties casePenalty `json:"penalties,omitzero"`
	Source    string      `json:"src,omitempty"`
}

type casePenalty struct {
	CD      []pair `json:"cd_ps_nm,omitempty"`
	PMD     []pair `json:"pmd_ps,omitempty"`
	RxPower []pair `json:"rx_power_dbm,omitempty"`
}

type caseLine struct {
	ID          string            `json:"id"`
	Line        []json.RawMessage `json:"line"`
	Channels    []caseChannel     `json:"channels"`
	AddDrops    int               `json:"n_add_drop"`
	AddDropOSNR *float64          `json:"add_drop_osnr_db"`
}

type caseChannel struct {
	Frequency *float64 `json:"frequency_thz"`
	Baud      float64  `json:"baud_gbd"`
	Slot      float64  `json:"slot_ghz"` // 0: not told
	RollOff   float64  `json:"roll_off"`
	TxPower   *float64 `json:"tx_power_dbm"`
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
		err = wanted(kind)
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
			return nil, fmt.Errorf("%s: %w", c.Cases[i].name(i), err)
		}
		out.Cases[i] = *a
	}
	return out, nil
}

// name is how a case is called: by its id, or by its place.
func (l *caseLine) name(i int) string {
	if l.ID == "" {
		return fmt.Sprintf("case %d", i+1)
	}
	return fmt.Sprintf("case %q", l.ID)
}

func (c *Cases) evaluate(l *caseLine, known func(string) (*Mode, bool)) (*Answer, error) {
	if err := l.checkSize(); err != nil {
		return nil, err
	}
	line, kinds, err := l.elements()
	if err != nil {
		return nil, err
	}
	ends, err := l.ends()
	if err != nil {
		return nil, err
	}
	modes, channels := make([]Mode, len(l.Channels)), make([]Channel, len(l.Channels))
	for i, ch := range l.Channels {
		if channels[i], err = ch.channel(); err != nil {
			return nil, fmt.Errorf("channel %d: %w", i+1, err)
		}
		if modes[i], err = c.mode(ch, known); err != nil {
			return nil, fmt.Errorf("channel %d, at %v: %w", i+1, channels[i].Frequency, err)
		}
		channels[i].Baud = modes[i].Baud
	}
	if err := l.checkSlots(channels); err != nil {
		return nil, err
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

// ends is what adding and dropping costs.
func (l *caseLine) ends() (AddDrop, error) {
	var r reader
	r.may("n_add_drop", float64(l.AddDrops))
	if l.AddDrops == 0 || len(r.wrong) > 0 {
		return AddDrop{}, r.err()
	}
	if l.AddDropOSNR == nil {
		return AddDrop{}, fmt.Errorf("n_add_drop %d needs add_drop_osnr_db", l.AddDrops)
	}
	return AddDrop{Times: l.AddDrops, OSNR: DB(r.must("add_drop_osnr_db", l.AddDropOSNR))}, r.err()
}

// channel is where and with what power it is launched; its symbol rate is that of its mode.
func (ch *caseChannel) channel() (Channel, error) {
	var r reader
	out := Channel{Frequency: THz(r.notZero("frequency_thz", ch.Frequency)), TxPower: DBm(r.must("tx_power_dbm", ch.TxPower))}
	r.may("slot_ghz", ch.Slot)
	r.may("roll_off", ch.RollOff)
	return out, r.err()
}

// mode is that of a channel, with what the channel says otherwise.
func (c *Cases) mode(ch caseChannel, known func(string) (*Mode, bool)) (Mode, error) {
	m, err := c.named(ch.Mode, known)
	if err != nil {
		return m, err
	}
	var r reader
	if ch.Baud != 0 {
		m.Baud = GHz(r.may("baud_gbd", ch.Baud))
	}
	if ch.TxOSNR != nil {
		m.TxOSNR = DB(r.must("tx_osnr_db", ch.TxOSNR))
	}
	return m, errors.Join(r.err(), m.Check())
}

func (c *Cases) named(name string, known func(string) (*Mode, bool)) (Mode, error) {
	m, ok := c.Modes[name]
	if !ok {
		if own, ok := known(name); ok {
			return *own, nil
		}
		if name == "" {
			return Mode{}, errors.New("mode is missing")
		}
		return Mode{}, fmt.Errorf("mode %q is neither defined under modes nor one of Loom's own (loom optics modes lists them)", name)
	}
	var r reader
	out := Mode{
		Name: name, Rate: m.Rate, Baud: GHz(r.notZero("baud_gbd", m.Baud)), RollOff: r.may("roll_off", m.RollOff),
		TxOSNR: DB(r.must("tx_osnr_db", m.TxOSNR)), RequiredOSNR: DB(r.must("req_osnr_db", m.ReqOSNR)),
		RxMin: DBm(r.must("rx_min_dbm", m.RxMin)), RxMax: DBm(r.must("rx_max_dbm", m.RxMax)),
		MaxCD: r.must("cd_max", m.MaxCD), MaxPMD: r.must("pmd_max_ps", m.MaxPMD), Source: m.Source,
		Penalties: Penalties{CD: r.points("cd_ps_nm", m.Penalties.CD), PMD: r.points("pmd_ps", m.Penalties.PMD), RxPower: r.points("rx_power_dbm", m.Penalties.RxPower)},
	}
	if err := r.err(); err != nil {
		return out, fmt.Errorf("mode %q: %w", name, err)
	}
	return out, nil
}

func (r *reader) points(key string, pairs []pair) Penalty {
	var out Penalty
	for _, p := range pairs {
		out = append(out, PenaltyAt{r.may(key, p[0]), DB(r.may("penalty", p[1]))})
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
	Type       string   `json:"type"`
	Loss       *float64 `json:"loss_db"`
	Gain       *float64 `json:"gain_db"`
	NF         *float64 `json:"nf_db"`
	MaxOutput  *float64 `json:"p_max_dbm"`
	VOA        float64  `json:"voa_db"`
	Length     *float64 `json:"length_km"`
	LossPerKm  *float64 `json:"loss_db_km"`
	LossAt     []pair   `json:"loss_db_km_at"`
	In         float64  `json:"con_in_db"`
	Out        float64  `json:"con_out_db"`
	Dispersion *float64 `json:"dispersion_ps_nm_km"`
	Slope      float64  `json:"dispersion_slope_ps_nm2_km"`
	Area       *float64 `json:"effective_area_um2"`
	PMD        float64  `json:"pmd_coef_ps_sqrtkm"`
	Lumped     []pair   `json:"lumped"`
}

func (l *caseLine) elements() ([]Element, []string, error) {
	var line []Element
	var kinds []string
	for i, raw := range l.Line {
		var e caseElement
		err := wanted(json.Unmarshal(raw, &e))
		var el Element
		if err == nil {
			el, err = e.element()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("element %d (%s): %w", i+1, cmp.Or(e.Type, "?"), err)
		}
		line, kinds = append(line, el), append(kinds, e.Type)
	}
	return line, kinds, nil
}

func (e *caseElement) element() (Element, error) {
	var r reader
	switch e.Type {
	case "loss":
		return Loss{DB(r.must("loss_db", e.Loss))}, r.err()
	case "edfa":
		a := Amplifier{Gain: DB(r.must("gain_db", e.Gain)), NoiseFigure: DB(r.must("nf_db", e.NF)), MaxOutput: DBm(r.must("p_max_dbm", e.MaxOutput)), VOA: DB(r.may("voa_db", e.VOA))}
		return a, r.err()
	case "fiber":
		return e.fiber()
	case "":
		return nil, errors.New("type is missing: one of loss, edfa, fiber")
	}
	return nil, fmt.Errorf("type %q is none of loss, edfa, fiber", e.Type)
}

func (e *caseElement) fiber() (Element, error) {
	var r reader
	f := Fiber{
		Length: Km(r.notZero("length_km", e.Length)), ConnectorIn: DB(r.may("con_in_db", e.In)), ConnectorOut: DB(r.may("con_out_db", e.Out)),
		Dispersion: r.must("dispersion_ps_nm_km", e.Dispersion), Slope: r.may("dispersion_slope_ps_nm2_km", e.Slope),
		Area: r.notZero("effective_area_um2", e.Area), PMD: r.may("pmd_coef_ps_sqrtkm", e.PMD),
	}
	switch {
	case e.LossPerKm != nil && len(e.LossAt) > 0:
		return nil, errors.New("loss_db_km and loss_db_km_at: give one of them")
	case e.LossPerKm != nil:
		f.Loss = []LossAt{{PerKm: DB(r.may("loss_db_km", *e.LossPerKm))}}
	case len(e.LossAt) == 0:
		r.wrong = append(r.wrong, "loss_db_km, or loss_db_km_at, is missing")
	}
	for _, p := range e.LossAt {
		f.Loss = append(f.Loss, LossAt{THz(r.may("loss_db_km_at THz", p[0])), DB(r.may("loss_db_km_at dB/km", p[1]))})
	}
	for _, p := range e.Lumped {
		f.Lumped = append(f.Lumped, LumpedLoss{Km(r.may("lumped km", p[0])), DB(r.may("lumped dB", p[1]))})
	}
	return f, r.err()
}
