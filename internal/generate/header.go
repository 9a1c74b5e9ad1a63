package generate

import (
	"fmt"
	"slices"
	"strings"
)

// since reports whether the version is v or a later one.
func (g *Generator) since(v string) bool {
	return slices.Index(Versions(), g.o.Version) >= slices.Index(Versions(), v)
}

// header is MSH, without line end. MSH-1 is the separator itself, so MSH-n stands
// at place n-1 here.
//
//	MSH|^~\&|PAS|RXX|SPINE|RXX|20261122080000+0000||ADT^A01^ADT_A01|GEN0000100000001|P|2.4||||||UNICODE UTF-8
func (g *Generator) header(k Kind, event string) string {
	app, facility, _ := strings.Cut(g.o.Sending, "^")
	toApp, toFacility, _ := strings.Cut(g.o.Receiving, "^")
	f := []string{"MSH", `^~\&`, app, facility, toApp, toFacility, g.now.Format("20060102150405-0700"), "",
		g.messageType(k, event), g.controlID(), g.o.Processing, g.o.Version, "", "", "", "", "", utf8Name}
	return strings.Join(f, "|")
}

// messageType is MSH-9. The structure is its third part since 2.3.1 (chapter 2,
// MSH-9, and table 0354).
func (g *Generator) messageType(k Kind, event string) string {
	t := fmt.Sprintf("%s^%s", strings.ToUpper(string(k)), event)
	if !g.since("2.3.1") {
		return t
	}
	return t + "^" + g.structure(k, event)
}

func (g *Generator) structure(k Kind, event string) string {
	switch {
	case k == SIU:
		return "SIU_S12"
	case k != ADT:
		return fmt.Sprintf("%s_%s", strings.ToUpper(string(k)), event)
	}
	switch event {
	case "A01", "A08", "A13":
		return "ADT_A01"
	case "A11":
		return "ADT_A09"
	case "A40":
		return "ADT_A39"
	case "A28", "A31":
		if g.since("2.4") {
			return "ADT_A05"
		}
		return "ADT_A01"
	default:
		return "ADT_" + event
	}
}
