package optics

import "math"

// What fibres of silica have in common.
const (
	refractiveIndex = 1.468   // of the group, at 1550 nm
	kerrIndex       = 2.6e-20 // m²/W
	coreRadius      = 4.2e-6  // m
	refWavelength   = 1550e-9 // m
)

const refFrequency = lightSpeed / refWavelength // Hz

// pass attenuates the connector, adds what the channels do to each other, and attenuates the rest.
func (e Fiber) pass(p *Propagator) {
	in, out := (-e.ConnectorIn).linear(), -float64(e.ConnectorOut)
	for _, l := range e.Lumped {
		out -= float64(l.Loss)
	}
	for i := range p.power {
		p.power[i] *= in
	}
	k := p.kernelOf(&e)
	p.interfere(k, float64(e.Length)*1e3)
	same := len(e.Loss) == 1
	loss := fromDB(out - e.attenuation(p.channels[0].Frequency)*float64(e.Length))
	for i, c := range p.channels {
		if !same {
			loss = fromDB(out - e.attenuation(c.Frequency)*float64(e.Length))
		}
		p.power[i] *= loss
		p.cd[i] += e.dispersion(p.freq[i]) * float64(e.Length)
		p.pmd2[i] += e.PMD * e.PMD * float64(e.Length)
		p.seconds[i] += float64(e.Length) * 1e3 * refractiveIndex / lightSpeed
	}
}

// beta2 is the second-order coefficient of dispersion in s²/m.
func (e *Fiber) beta2(f float64) float64 {
	if e.Slope == 0 {
		return -e.Dispersion * 1e-6 * refWavelength * refWavelength / (2 * math.Pi * lightSpeed)
	}
	wavelength := lightSpeed / f
	d := e.Dispersion*1e-6 + e.Slope*1e3*(wavelength-refWavelength)
	return -d * wavelength * wavelength / (2 * math.Pi * lightSpeed)
}

// dispersion is in ps/(nm km). With a slope it is what the reference planner reports: the coefficients at the channel's
// own frequency, extended from there as if they were those at 1550 nm. That counts most of the slope twice (LEAF
// at 192 THz: 6.3 where the fibre has 5.2), so a limit of dispersion is met too early rather than too late on
// the long side of 1550 nm, and it decides verdicts exactly as the planner does.
func (e *Fiber) dispersion(f float64) float64 {
	if e.Slope == 0 {
		return e.Dispersion
	}
	beta2 := e.beta2(f)
	perHz := 2 * math.Pi * f * f / lightSpeed
	beta3 := (e.Slope*1e3 - 4*math.Pi*f*f*f/(lightSpeed*lightSpeed)*beta2) / (perHz * perHz)
	return -(beta2 + 2*math.Pi*beta3*(f-refFrequency)) * 2 * math.Pi * refFrequency * refFrequency / lightSpeed * 1e6
}

// kerr is the nonlinear coefficient in 1/(W m): the mode is narrower at a higher frequency.
func (e *Fiber) kerr(f float64) float64 {
	const radius = coreRadius * refractiveIndex
	contrast := math.Exp(math.Pi * coreRadius * coreRadius / (e.Area * 1e-12))
	contrast *= lightSpeed / (2 * math.Pi * refFrequency * radius)
	contrast = contrast * contrast / 2
	v := 2 * math.Pi * f / lightSpeed * radius * math.Sqrt(2*contrast)
	mode := coreRadius / math.Sqrt(math.Log(v))
	return 2 * math.Pi * kerrIndex * f / (lightSpeed * math.Pi * mode * mode)
}

// kernel is what one kind of fibre makes of the channels, whatever its length: how much interference channel i gets
// from channel j. It costs n² hyperbolic functions, so it is made once for each kind.
type kernel struct {
	kind   fiberKind
	loss   []LossAt  // of the kind; compared as well
	alpha  []float64 // 1/m, at each channel
	matrix []float64 // n × n, row i: what i gets, without powers and lengths
}

// fiberKind is what the kernel depends on, beside the attenuation.
type fiberKind struct{ dispersion, slope, area float64 }

// kernelOf finds the kernel of a fibre, or makes it.
func (p *Propagator) kernelOf(e *Fiber) *kernel {
	kind := fiberKind{e.Dispersion, e.Slope, e.Area}
	for _, k := range p.kernels {
		if k.kind == kind && equalLoss(k.loss, e.Loss) {
			return k
		}
	}
	k := p.newKernel(e, kind)
	p.kernels = append(p.kernels, k)
	return k
}

func equalLoss(a, b []LossAt) bool {
	if len(a) == 1 && len(b) == 1 {
		return a[0].PerKm == b[0].PerKm
	}
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// newKernel evaluates equations 120 and 123 of arXiv:1209.0394 for every pair of channels. The length of the
// fibre enters by its effective length alone, which interfere puts in.
func (p *Propagator) newKernel(e *Fiber, kind fiberKind) *kernel {
	n := len(p.channels)
	k := &kernel{kind: kind, loss: e.Loss, alpha: make([]float64, n), matrix: make([]float64, n*n)}
	beta, kerr2 := make([]float64, n), make([]float64, n)
	for i, c := range p.channels {
		k.alpha[i] = e.attenuation(c.Frequency) * 1e-3 / (10 * math.Log10E)
		beta[i] = e.beta2(p.freq[i])
		kerr := e.kerr(p.freq[i])
		kerr2[i] = kerr * kerr
	}
	for i := range n {
		row := k.matrix[i*n : (i+1)*n]
		for j := range n {
			// Between two channels of one width in a fibre of one attenuation it is the same both ways, but for the Kerr coefficient.
			if j < i && p.baud[i] == p.baud[j] && k.alpha[i] == k.alpha[j] {
				row[j] = k.matrix[j*n+i] / kerr2[j] * kerr2[i]
				continue
			}
			weight := 32. / 27
			if i == j {
				weight = 16. / 27
			}
			row[j] = weight * kerr2[i] * interference(math.Abs(p.freq[j]-p.freq[i]), p.baud[i], p.baud[j], math.Abs(beta[i]+beta[j])/2, 1/k.alpha[j])
		}
	}
	return k
}

// interference is how much a channel of width mine gets from one that is apart by so much and as wide as theirs (all in Hz), per square
// of the effective length. reach is the asymptotic effective length of the other, in m; beta in s²/m.
func interference(apart, mine, theirs, beta, reach float64) float64 {
	steep := math.Pi * math.Pi * reach * beta * mine
	high, low := steep*(apart+theirs/2), steep*(apart-theirs/2)
	if high-low < 1e-9 {
		// So little dispersion that the hyperbolic function is its argument.
		return math.Pi * mine * theirs / 4
	}
	return asinhBetween(low, high) / (4 * math.Pi * beta * reach)
}

// asinhBetween is asinh(high) - asinh(low), for high above 0.
func asinhBetween(low, high float64) float64 {
	up := high + math.Sqrt(high*high+1)
	if low < 0 { // asinh is odd; this way nothing is lost to cancellation
		return math.Log(up * (math.Sqrt(low*low+1) - low))
	}
	return math.Log(up / (low + math.Sqrt(low*low+1)))
}

// interfere turns power of every channel into interference. The power of a channel stays what it is.
func (p *Propagator) interfere(k *kernel, length float64) {
	n := len(p.channels)
	for j, power := range p.power {
		effective := -math.Expm1(-k.alpha[j]*length) / k.alpha[j]
		density := effective * power / p.baud[j]
		p.density[j] = density * density
	}
	for i := range n {
		row := k.matrix[i*n : (i+1)*n]
		p.buffer[i] = min(1, dot(row, p.density))
	}
	for i, r := range p.buffer {
		p.signal[i] *= 1 - r
		p.ase[i] *= 1 - r
		p.nli[i] = p.nli[i]*(1-r) + r
	}
}

// dot adds in four strands, which the processor works on side by side.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}
