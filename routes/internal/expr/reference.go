package expr

// Function is one function of expressions, as the reference shows it.
type Function struct {
	Group string // message, text, list, table, date, form, digest, number, engine
	Name  string
	Shape string // how it is written
	Does  string
	// OnAbsent, OnEmpty and OnNull are what Example gives when the values of the
	// message that it reads are absent, empty or HL7 null: a result (texts in
	// quotes), or "fault: " and its text, which holds the message. "" when it
	// reads none.
	OnAbsent, OnEmpty, OnNull string
	Example                   string // an expression on Sample
	Gives                     string // what it gives
}

// Sample is the message of the examples. The feed around them has the tables sex
// (F: 2, M: 1), specialty (300: code G, name general) and a secret research; now is
// 2026-07-01 12:00 UTC.
const Sample = "MSH|^~\\&|PAS|RXX|EPR|RXX|20260701115900||ADT^A03^ADT_A03|C17|P|2.5.1\r" +
	"PID|1||777^^^RXX^PI~9990000018^^^NHS^NH||O'Neill^Zoë||19700131|F\r" +
	"PV1|1|I|w7^2^B||||||RXX01|300||||||||||||||||||||||||||||||||||202606301030+0100\r" +
	"OBX|1|ST|A||one\r" +
	"OBX|2|ST|B||two\r"

// Functions is every function there is, in the order of the reference.
func Functions() []Function {
	var out []Function
	for _, g := range []struct {
		group string
		all   []Function
	}{
		{"message", messageReference()}, {"text", textReference()}, {"list", listReference()}, {"table", tableReference()},
		{"date", dateReference()}, {"form", formReference()}, {"digest", digestReference()}, {"number", numberReference()}, {"engine", engineReference()},
	} {
		for _, f := range g.all {
			f.Group = g.group
			if f.OnAbsent == "" { // mostly all three are one
				f.OnAbsent = f.OnEmpty
			}
			if f.OnNull == "" {
				f.OnNull = f.OnEmpty
			}
			out = append(out, f)
		}
	}
	return out
}

func messageReference() []Function {
	return []Function{
		{Name: "has", Shape: `msg.has("SELECTOR")`, Does: "a real value is there: absent, empty and HL7 null are none; of a list, one is enough",
			OnEmpty: "false", Example: `msg.has("PID-3(5=NH).1")`, Gives: "true"},
		{Name: "is_null", Shape: `msg.is_null("SELECTOR")`, Does: `HL7 null ("") is there: the sender asks to delete the value`,
			OnEmpty: "false", OnNull: "true", Example: `msg.is_null("PID-8")`, Gives: "false"},
		{Name: "list", Shape: `msg.list("SELECTOR")`, Does: "the texts of what is listed, one for each segment or repetition: empty texts where nothing stands there; no text at all when there is no such segment",
			OnEmpty: `","`, OnAbsent: `""`, Example: `msg.list("OBX(*)-5").join(",")`, Gives: `"one,two"`},
	}
}

func textReference() []Function {
	return []Function{
		{Name: "trim", Shape: "text.trim()", Does: "without white space at its ends",
			OnEmpty: `""`, Example: `("  " + msg["PV1-3.1"]).trim()`, Gives: `"w7"`},
		{Name: "upper", Shape: "text.upper()", Does: "in capitals, of any alphabet",
			OnEmpty: `""`, Example: `msg["PID-5.2"].upper()`, Gives: `"ZOË"`},
		{Name: "lower", Shape: "text.lower()", Does: "in small letters, of any alphabet",
			OnEmpty: `""`, Example: `msg["PID-5.2"].lower()`, Gives: `"zoë"`},
		{Name: "upperAscii", Shape: "text.upperAscii()", Does: "a to z in capitals, all else as it is; for codes",
			OnEmpty: `""`, Example: `msg["PV1-3.1"].upperAscii()`, Gives: `"W7"`},
		{Name: "lowerAscii", Shape: "text.lowerAscii()", Does: "A to Z in small letters, all else as it is; for codes",
			OnEmpty: `""`, Example: `msg["PV1-3.3"].lowerAscii()`, Gives: `"b"`},
		{Name: "replace", Shape: `text.replace("from", "to")`, Does: "every from becomes to; an empty from is a fault",
			OnEmpty: `""`, Example: `msg["PID-5.1"].replace("'", "")`, Gives: `"ONeill"`},
		{Name: "substring", Shape: "text.substring(from, to)", Does: "the characters from..to, counted from 0, without to itself; without to, up to the end; beyond the end there is nothing",
			OnEmpty: `""`, Example: `msg["PID-7"].substring(0, 4)`, Gives: `"1970"`},
		{Name: "indexOf", Shape: `text.indexOf("what")`, Does: "where what begins, counted in characters from 0; -1 when it is not there",
			OnEmpty: "-1", Example: `msg["PID-5.1"].indexOf("N")`, Gives: "2"},
		{Name: "padLeft", Shape: `text.padLeft(width, "0")`, Does: "filled in front to a width of up to 1000 characters; a longer text stays as it is",
			OnEmpty: `"000000"`, Example: `msg["PID-3(5=PI).1"].padLeft(6, "0")`, Gives: `"000777"`},
		{Name: "padRight", Shape: `text.padRight(width, " ")`, Does: "filled behind to a width of up to 1000 characters; a longer text stays as it is",
			OnEmpty: `"...."`, Example: `msg["PV1-3.1"].padRight(4, ".")`, Gives: `"w7.."`},
		{Name: "split", Shape: `text.split(",")`, Does: "the list of what stands between separators; an empty text gives an empty list",
			OnEmpty: "0", Example: `msg["PID-5.1"].split("'").size()`, Gives: "2"},
		{Name: "startsWith", Shape: `text.startsWith("TEST")`, Does: "the text begins so",
			OnEmpty: "false", Example: `msg["PV1-3.1"].startsWith("w")`, Gives: "true"},
		{Name: "endsWith", Shape: `text.endsWith("-X")`, Does: "the text ends so",
			OnEmpty: "false", Example: `msg["PV1-3.1"].endsWith("7")`, Gives: "true"},
		{Name: "contains", Shape: `text.contains("x")`, Does: "the text holds that",
			OnEmpty: "false", Example: `msg["PID-5.1"].contains("'")`, Gives: "true"},
		{Name: "matches", Shape: `text.matches("^[0-9]{10}$")`, Does: "a part of the text fits the regular expression (RE2), which is written out; ^ and $ bind it to the whole text",
			OnEmpty: "false", Example: `msg["PID-3(5=NH).1"].matches("^[0-9]{10}$")`, Gives: "true"},
		{Name: "size", Shape: "text.size() or size(text)", Does: "how many characters a text, elements a list or keys a map has",
			OnEmpty: "0", Example: `size(msg["PID-5.2"])`, Gives: "3"},
		{Name: "string", Shape: "string(value)", Does: "a number, yes-or-no, time or duration as text; bare true and false",
			OnEmpty: `"0"`, Example: `string(size(msg["PID-5.2"]))`, Gives: `"3"`},
	}
}

func listReference() []Function {
	return []Function{
		{Name: "join", Shape: `list.join(", ")`, Does: "the texts of a list as one, with a separator between or none",
			OnEmpty: `";"`, OnAbsent: `""`, Example: `msg.list("OBX(*)-5").join(";")`, Gives: `"one;two"`},
		{Name: "exists", Shape: `list.exists(x, x == "a")`, Does: "an element is as the condition says; an empty list has none",
			OnEmpty: "false", Example: `msg.list("OBX(*)-5").exists(v, v == "two")`, Gives: "true"},
		{Name: "exists_one", Shape: `list.exists_one(x, x == "a")`, Does: "exactly one element is as the condition says",
			OnEmpty: "false", Example: `msg.list("OBX(*)-5").exists_one(v, v != "")`, Gives: "false"},
		{Name: "all", Shape: `list.all(x, x != "")`, Does: "every element is as the condition says; so it is of an empty list",
			OnEmpty: "false", OnAbsent: `true`, Example: `msg.list("OBX(*)-5").all(v, v != "")`, Gives: "true"},
		{Name: "filter", Shape: `list.filter(x, x != "")`, Does: "the elements that are as the condition says",
			OnEmpty: `""`, OnAbsent: `""`, Example: `msg.list("OBX(*)-5").filter(v, v.startsWith("t")).join(",")`, Gives: `"two"`},
		{Name: "map", Shape: `list.map(x, x.trim())`, Does: "a list of what becomes of each element",
			OnEmpty: `","`, OnAbsent: `""`, Example: `msg.list("OBX(*)-5").map(v, v.upper()).join(",")`, Gives: `"ONE,TWO"`},
	}
}

func tableReference() []Function {
	return []Function{
		{Name: "table", Shape: `table("name")`, Does: `a table of the feed; text in table("name") asks for a code as .has does, table("name")[code] reads it as .get does`,
			OnEmpty: "false", Example: `msg["PID-8"] in table("sex")`, Gives: "true"},
		{Name: "has", Shape: `table("name").has(code)`, Does: "the table has the code",
			OnEmpty: "false", Example: `table("sex").has(msg["PID-8"])`, Gives: "true"},
		{Name: "get", Shape: `table("name").get(code)`, Does: "what the code stands for; of a table with columns, its row: .get(code).column. A code that is not there is a fault",
			OnEmpty: "fault: the code is not in table specialty; ask .has(code) first", Example: `table("specialty").get(msg["PV1-10"]).name`, Gives: `"general"`},
		{Name: "get", Shape: `table("name").get(code, "default")`, Does: "what the code stands for, or the default; for tables without columns",
			OnEmpty: `"9"`, Example: `table("sex").get(msg["PID-8"], "9")`, Gives: `"2"`},
		{Name: "get", Shape: `{"A": "1", "B": "2"}.get(key, "default")`, Does: "what a map written out has for the key, or the default",
			OnEmpty: `"other"`, Example: `{"F": "female", "M": "male"}.get(msg["PID-8"], "other")`, Gives: `"female"`},
	}
}

func numberReference() []Function {
	return []Function{
		{Name: "int", Shape: "int(text)", Does: "the text as a whole number; a text that is none is a fault",
			OnEmpty: "fault: a value has not the form that the conversion needs", Example: `int(msg["PV1-10"]) + 1`, Gives: "301"},
		{Name: "double", Shape: "double(text)", Does: "the text as a number with decimals; a text that is none is a fault",
			OnEmpty: "fault: a value has not the form that the conversion needs", Example: `double(msg["PV1-10"]) > 299.5`, Gives: "true"},
	}
}

func engineReference() []Function {
	return []Function{
		{Name: "env", Shape: `env("NAME")`, Does: "an environment variable, read when the project is loaded; one that is not set is a problem",
			Example: `env("TRUST")`, Gives: `"RXX"`},
		{Name: "duration", Shape: `duration("90m")`, Does: "a length of time, to add to now or to compare with; h, m and s",
			Example: `now - meta.received < duration("2h")`, Gives: "true"},
	}
}
