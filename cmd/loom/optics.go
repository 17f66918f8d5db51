package main

import (
	"fmt"
	"io"
	"os"

	light "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/spf13/cobra"
)

func opticsCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "optics",
		Short: "Lines, channels and their margins",
		Long: `What light does on the lines of a topology, and on lines of other planners.

Propagation is the Gaussian-noise model in its closed form, with amplifiers of flat gain and without
Raman scattering: the figures are those of GNPy's gn_model_analytic.`,
	}
	c.AddCommand(opticsPlanCommand(t), opticsMarginCommand(t), opticsWatch(t), opticsRestore(t), evaluateCommand(t), modesCommand(t))
	return c
}

func evaluateCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "evaluate FILE",
		Short: "Carry channels over lines that are spelled out",
		Long: `Reads lines and channels as JSON, and prints for every channel what arrives: powers, OSNR, GSNR,
dispersion, latency, penalties, margin, and every reason for which it fails. - reads standard input.

  {"modes": {"M": {"baud_gbd", "tx_osnr_db", "req_osnr_db", "rx_min_dbm", "rx_max_dbm", "cd_max", "pmd_max_ps",
     "penalties": {"cd_ps_nm" | "pmd_ps" | "rx_power_dbm": [[value, dB], ...]}}},
   "cases": [{"id", "line": [ELEMENT, ...], "channels": [{"frequency_thz", "tx_power_dbm", "mode"}],
     "n_add_drop", "add_drop_osnr_db"}]}

An ELEMENT has a type: loss {loss_db}; edfa {gain_db, nf_db, p_max_dbm}; fiber {length_km, loss_db_km or
loss_db_km_at [[THz, dB/km], ...], dispersion_ps_nm_km, dispersion_slope_ps_nm2_km, effective_area_um2,
pmd_coef_ps_sqrtkm, con_in_db, con_out_db, lumped [[km, dB], ...]}. A mode that the file does not define
is one of loom optics modes. With slot_ghz, channels whose slots overlap are refused. A number that cannot
be, as a frequency in GHz, is refused with the range that is plausible. A value that is infinite is null.

Exit code: 0, whether the channels arrive or not; 1 where the file cannot be read.`,
		Example: `  loom optics evaluate lines.json
  loom optics evaluate lines.json --format text`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("evaluate needs one file: %s", usageLine(c))
			}
			return nil
		},
	}
	format := formatFlag(c, "json", "text")
	trace := c.Flags().Bool("trace", false, "with the powers behind every element of the line")
	c.RunE = func(_ *cobra.Command, args []string) error {
		data, err := readFile(t, args[0])
		if err != nil {
			return err
		}
		cases, err := optics.ParseCases(data)
		if err != nil {
			return fmt.Errorf("%s:%w", args[0], err)
		}
		answers, err := cases.Evaluate(light.Mode)
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		if !*trace {
			for i := range answers.Cases {
				answers.Cases[i].Trace = nil
			}
		}
		if *format == "json" {
			return t.json(answers)
		}
		return answersTable(answers).print(t, "text")
	}
	return c
}

// readFile reads a file, or standard input for a hyphen.
func readFile(t *terminal, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(t.in)
	}
	return os.ReadFile(name)
}

// answersTable has a line for each case, with its worst channel.
func answersTable(answers *optics.Answers) table {
	out := table{header: []string{"case", "channels", "closes", "worst margin", "fails by"}}
	for _, a := range answers.Cases {
		closes := "yes"
		if !a.Feasible {
			closes = "no"
		}
		out.rows = append(out.rows, []string{a.ID, fmt.Sprint(len(a.Channels)), closes, optics.DB(a.Worst).String(), list(a.Fails)})
	}
	return out
}

func modesCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "modes",
		Short: "List what coherent transceivers can be set to",
		Long: `Lists the modes that a topology can name: rate, symbol rate, the slot that a channel needs, the OSNR
and the power that its receiver asks for, and how much dispersion it takes. The JSON form has
penalties and the source of each mode's figures, and is what loom optics evaluate reads as modes.`,
		Example: "  loom optics modes\n  loom optics modes --format json",
		Args:    noArguments,
	}
	format := formatFlag(c, "text", "json", "csv")
	c.RunE = func(*cobra.Command, []string) error {
		if *format == "json" {
			return t.json(optics.ModesAlone(light.Modes()))
		}
		return modesTable(light.Modes()).print(t, *format)
	}
	return c
}

func modesTable(modes []optics.Mode) table {
	out := table{header: []string{"mode", "Gb/s", "GBd", "modulation", "FEC", "slot", "launch", "needs OSNR", "receives", "dispersion"}}
	for _, m := range modes {
		out.rows = append(out.rows, []string{
			m.Name, fmt.Sprint(m.Rate), fmt.Sprintf("%.1f", float64(m.Baud)), m.Modulation, m.FEC, m.Spacing.String(),
			fmt.Sprintf("%g..%g dBm", float64(m.TxMin), float64(m.TxMax)), m.RequiredOSNR.String(),
			fmt.Sprintf("%g..%g dBm", float64(m.RxMin), float64(m.RxMax)), fmt.Sprintf("%g ps/nm", m.MaxCD),
		})
	}
	return out
}
