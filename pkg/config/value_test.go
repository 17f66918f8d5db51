package config

import (
	"strings"
	"testing"
)

func TestCanonicalFormsAreThoseOfTheYANGTypes(t *testing.T) {
	t.Parallel()
	speed := nodeID("/interface/speed")
	hold := nodeID("/system/hold")
	for _, c := range []struct {
		name     string
		id       ID
		in, want string
	}{
		{"an integer", idMTU, "9412", "9412"}, {"a plus sign and zeros", idBig, "+0", "0"}, {"minus zero", idBig, "-0", "0"},
		{"hexadecimal", idMTU, "0x5AA", "1450"}, {"octal", idBig, "-017", "-15"},
		{"the lowest int64", idBig, "-9223372036854775808", "-9223372036854775808"},
		{"the highest uint64", idHuge, "18446744073709551615", "18446744073709551615"},
		{"a range of one", hold, "-1", "-1"},
		{"a decimal without fraction", idRatio, "3", "3.0"}, {"a decimal with zeros", idRatio, "-01.50", "-1.5"},
		{"a negative zero", idRatio, "-0.0", "0.0"}, {"the bound of a decimal", idRatio, "4.00", "4.0"},
		{"an identity without module", idSubType, "bridged", "ex-more:bridged"},
		{"an identity with its module", idSubType, "ex-base:routed", "ex-base:routed"},
		{"a value of a newer release", idAdmin, "maintenance", "maintenance"},
		{"the first member of a union", speed, "007", "7"}, {"the last member of a union", speed, "300", "300"},
		{"a reference has its target's type", idUplink, "lag1", "lag1"},
		{"empty", idFlag, "", ""}, {"binary", idBlob, "AQI=", "AQI="}, {"text", idBanner, "a\tö\n", "a\tö\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // the second time from the memo
				if got, err := model.Canonical(c.id, 1, c.in); err != nil || got != c.want {
					t.Errorf("got %q, %v, want %q", got, err, c.want)
				}
			}
		})
	}
}

func TestABadValueIsToldInAnEngineersWords(t *testing.T) {
	t.Parallel()
	hold := nodeID("/system/hold")
	for _, c := range []struct {
		id       ID
		in, want string
	}{
		{idMTU, "9500", "9500 is out of range 1450..9412"}, {idMTU, "99999999999999999999", "99999999999999999999 is out of range 1450..9412"},
		{idMTU, "jumbo", `"jumbo" is not a whole number`}, {idMTU, "1_500", `"1_500" is not a whole number`}, {idMTU, "0b1", `"0b1" is not a whole number`},
		{hold, "50", "50 is out of range -1 | 0 | 100..86400"},
		{idHuge, "9", "9 is out of range 10..18446744073709551615"}, {idHuge, "-9", `"-9" is not a whole number, 0 or more`},
		{idHuge, "18446744073709551616", "18446744073709551616 is out of range 10..18446744073709551615"},
		{idRatio, "4.01", "4.01 is out of range -22..4"}, {idRatio, "1.234", "1.234 has more than 2 fraction digits"},
		{idRatio, "1e2", `"1e2" is not a decimal number`}, {idRatio, "1.", `"1." is not a decimal number`}, {idRatio, "", `"" is not a decimal number`},
		{idRatio, "99999999999999999999", "99999999999999999999 is out of range -22..4"},
		{idAdmin, "maintenance", `"maintenance" is not one of enable, disable`},
		{idSubType, "mirror", `"mirror" is not one of routed, bridged`}, {idSubType, "ex-base:bridged", `"ex-base:bridged" is not one of routed, bridged`},
		{idTagging, "yes", `"yes" is neither true nor false`}, {idFlag, "x", `"x" is given to a leaf of type empty, which has no value`},
		{idName, "", `"" has 0 characters, not 1..32`}, {idName, strings.Repeat("ä", 33), "has 33 characters, not 1..32"},
		{idIfName, "eth0", `"eth0" is not a valid port: want ^`}, {idBanner, "a\x00b", `"a\x00b" has characters that YANG does not allow in a string`},
		{idBanner, "\xff", `"\xff" has characters`}, {idBlob, "AQI", `"AQI" is not base64`}, {idBlob, "", "0 bytes is not a length in 1..8"},
		{idSpeed, "x", `"x" is not a whole number, and "x" is not one of enable, disable, and "x" is not one of routed, bridged, and "x" is not a whole number`},
	} {
		if got, err := model.Canonical(c.id, 0, c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: got %q, %v, want %s", model.Path(c.id), c.in, got, err, c.want)
		}
	}
}

func TestTheMemoDoesNotMixReleases(t *testing.T) {
	t.Parallel()
	for range 2 {
		if _, err := model.Canonical(idAdmin, 1, "maintenance"); err != nil {
			t.Error(err)
		}
		if _, err := model.Canonical(idAdmin, 0, "maintenance"); err == nil {
			t.Error("release 1.0 has no maintenance")
		}
	}
}

func TestLongValuesAreCheckedWithoutTheMemo(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10*memoLength)
	if got, err := model.Canonical(idBanner, 1, long); err != nil || got != long {
		t.Errorf("got %d characters, %v", len(got), err)
	}
}
