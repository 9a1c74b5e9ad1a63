package expr

import (
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

const busy = "MSH|^~\\&|PAS|RXX|EPR|RXX|20260701115900||SIU^S12|C17|P|2.5.1\r" +
	"PID|1||777^^^RXX^PI~9990000018^^^NHS^NH||Test^Ann||19700131|F\r" +
	"PV1|1|I|TEST1^2^B|||||A81001^^^^^^^^ODS\r" +
	"TXA|1|||||||||||D77\r" +
	"OBX|1|TX|A||first line\rOBX|2|ED|B||^^^Base64^AAAA\rOBX|3|TX|C||second line\r"

// What the feeds of hospitals ask of expressions, in the order a message travels.
func TestExpressionsOfRealFeeds(t *testing.T) {
	wards, practice := transforms.NewTable("wards"), transforms.NewTable("practice", "mailbox", "name")
	for _, err := range []error{wards.Add("TEST1", []string{"x"}), practice.Add("A81001", []string{"RXX01", "The Practice"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e, err := New(Options{
		Selector: func(text string, _ bool) (message.Selector, error) { return hl7doc.Selector(text) },
		Tables:   []*transforms.Table{wards, practice},
		Secret:   func(n string) (string, bool, []string) { return "s", n == "research", []string{"research"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	e.AllowPart(true)
	for _, v := range [][2]string{
		{"ward", `msg["PV1-3.1"]`},
		{"dead", `msg["PID-30"] == "Y" || msg.has("PID-29")`},
		{"gp", `table("practice").get(msg["PV1-8(9=ODS).1"])`},
		{"control", `{"S12": "NW", "S13": "XO", "S14": "XO", "S15": "CA", "S26": "DC"}.get(msg.event, "")`},
		{"sex23", `{"F": "2", "M": "1"}`},
		{"pid", `hmac("research", msg["PID-3(5=NH).1"])`},
	} {
		e.Define(v[0], compile(t, e, v[1], Any))
	}
	d, err := hl7doc.Parse([]byte(busy), hl7.Options{Otherwise: "UTF-8"})
	if err != nil {
		t.Fatal(err)
	}
	env := &message.Envelope{File: "GPCHG_1.csv", Index: 4}
	s := NewScope()
	s.Set(e, d, env, time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))
	s.SetPart(2, "C17.2")
	for src, want := range map[string]string{
		`msg.event in ["A01", "A02"] ? "taken" : "dropped"`:      "dropped",
		`vars.ward in table("wards") ? "test ward" : ""`:         "test ward",
		`vars.ward.startsWith("TEST") && !vars.dead ? "a" : "b"`: "a",
		`vars.sex23[msg["PID-8"]]`:                               "2",
		`vars.gp.mailbox + " " + vars.gp.name.upper()`:           "RXX01 THE PRACTICE",
		`vars.control`:                             "NW",
		`msg["OBX(2=ED)-5.5"]`:                     "AAAA",
		`msg.list("OBX(2=TX)(*)-5").join("\n")`:    "first line\nsecond line",
		`msg["MSH-10"] + "." + string(part.index)`: "C17.2",
		`part.id`:                            "C17.2",
		`meta.file + "-" + string(meta.row)`: "GPCHG_1.csv-4",
		`orig["TXA-12.1"]`:                   "D77",
		`msg["PID-3(5=PI).1"] + "_" + meta.id + ".pdf"`:               "777_00000000000000000000000000.pdf",
		`size(uuid(meta.id) + ".hl7")`:                                "40",
		`size(vars.pid)`:                                              "64",
		`shift_days("research", vars.pid, 30) != 0 ? "moved" : ""`:    "moved",
		`msg["PID-3(5=PI).1"] != msg["MRG-1(5=PI).1"] ? "ok" : "bad"`: "ok",
		`age(msg["PID-7"], now) >= 18 ? "adult" : "child"`:            "adult",
		`date(msg["PID-7"]).truncate("year").format("hl7")`:           "1970",
		`date(now).inZone("Europe/London").format("DD-MMM-YYYY")`:     "01-Jul-2026",
	} {
		if got, err := compile(t, e, src, Text).Text(s); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", src, got, err, want)
		}
	}
}
