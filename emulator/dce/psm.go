package dce

import (
	"slices"
	"strings"
)

// powerSavingLocked is what +CEREG tells of the power saving mode: the Active-Time and the periodic TAU that +CPSMS asks for (TS 27.007
// section 7.38), as the network grants whatever a modem wants (TS 24.301 section 5.3.11). What was left out is the maker's.
func (m *Modem) powerSavingLocked() string {
	all := m.personality.Settings
	i := slices.IndexFunc(all, func(s Setting) bool { return s.Command == "+CPSMS" })
	if i < 0 {
		return ""
	}
	asked, own := strings.Split(m.values["+CPSMS"], ","), strings.Split(all[i].Default, ",")
	if asked[0] != "1" {
		return ""
	}
	timer := func(n int) string {
		for _, list := range [][]string{asked, own} {
			if n < len(list) && list[n] != "" {
				return strings.Trim(list[n], `"`)
			}
		}
		return ""
	}
	tau, active := timer(3), timer(4)
	return m.formatLocked("registration-psm", nil, map[string]any{"active_time": active, "periodic_tau": tau})
}
