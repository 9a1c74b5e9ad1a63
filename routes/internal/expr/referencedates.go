package expr

func dateReference() []Function {
	const none = "fault: date: the value is no HL7 date; ask is_date(...) first"
	return []Function{
		{Name: "date", Shape: "date(text) or date(now)", Does: "an HL7 date with the precision and the offset it was written with, or a time of the engine (UTC, to the second); a text that is none is a fault",
			OnEmpty: none, Example: `date(msg["PID-7"]).format("uk")`, Gives: `"31-Jan-1970"`},
		{Name: "parse_date", Shape: `parse_date(text, "DD/MM/YYYY")`, Does: "a date written in a form: iso, uk, hl7 or a layout; a text that has it not is a fault",
			OnEmpty: "fault: parse_date: the value has not the form YYYYMMDD; ask is_date(...) first", Example: `parse_date(msg["PID-7"], "YYYYMMDD").format("iso")`, Gives: `"1970-01-31"`},
		{Name: "is_date", Shape: `is_date(text) or is_date(text, "iso")`, Does: "date(text), or parse_date(text, form), would succeed",
			OnEmpty: "false", Example: `is_date(msg["PID-7"])`, Gives: "true"},
		{Name: "format", Shape: `date.format("DD/MM/YYYY[ HH:mm]")`, Does: "the date as text: hl7, iso, uk or a layout, whose [...] is left out where the date has it not; a layout that asks for more than the date has is a fault",
			OnEmpty: none, Example: `date(msg["PV1-44"]).format("DD/MM/YYYY[ HH:mm]")`, Gives: `"30/06/2026 10:30"`},
		{Name: "truncate", Shape: `date.truncate("day")`, Does: "without what is finer than year, month, day, hour, minute or second; a coarser date stays as it is",
			OnEmpty: none, Example: `date(msg["PV1-44"]).truncate("day").format("hl7")`, Gives: `"20260630"`},
		{Name: "precision", Shape: "date.precision()", Does: "how finely it was written: year, month, day, hour, minute, second or fraction",
			OnEmpty: none, Example: `date(msg["PV1-44"]).precision()`, Gives: `"minute"`},
		{Name: "inZone", Shape: `date.inZone("Europe/London")`, Does: "as clocks there show it, with the offset in force there then; one without an offset is taken as time there already, one without a time stays as it is",
			OnEmpty: none, Example: `date(msg["PV1-44"]).inZone("UTC").format("hl7")`, Gives: `"202606300930+0000"`},
		{Name: "plusYears", Shape: "date.plusYears(1)", Does: "moved by years; 29 February becomes the 28th where there is none",
			OnEmpty: none, Example: `date(msg["PID-7"]).plusYears(18).format("hl7")`, Gives: `"19880131"`},
		{Name: "plusMonths", Shape: "date.plusMonths(-1)", Does: "moved by months; the day is the last of a shorter month",
			OnEmpty: none, Example: `date(msg["PID-7"]).plusMonths(1).format("hl7")`, Gives: `"19700228"`},
		{Name: "plusDays", Shape: "date.plusDays(3)", Does: "moved by days, and back by negative ones; a date not written to the day is a fault",
			OnEmpty: none, Example: `date(msg["PV1-44"]).plusDays(1).format("hl7")`, Gives: `"202607011030+0100"`},
		{Name: "plusHours", Shape: "date.plusHours(2)", Does: "moved by hours, with the same offset",
			OnEmpty: none, Example: `date(msg["PV1-44"]).plusHours(14).format("hl7")`, Gives: `"202607010030+0100"`},
		{Name: "plusMinutes", Shape: "date.plusMinutes(15)", Does: "moved by minutes, with the same offset",
			OnEmpty: none, Example: `date(msg["PV1-44"]).plusMinutes(45).format("hl7")`, Gives: `"202606301115+0100"`},
		{Name: "before", Shape: "date.before(date)", Does: "comes before the other, as finely as both are written: 2026 is not before 20261001",
			OnEmpty: none, Example: `date(msg["PV1-44"]).before(date(now))`, Gives: "true"},
		{Name: "after", Shape: "date.after(date)", Does: "comes after the other, as finely as both are written",
			OnEmpty: none, Example: `date(msg["PV1-44"]).after(date(now))`, Gives: "false"},
		{Name: "daysUntil", Shape: "date.daysUntil(date)", Does: "how many days of the calendar lie between them, as they are written; negative when the other comes first",
			OnEmpty: none, Example: `date(msg["PV1-44"]).daysUntil(date(now))`, Gives: "1"},
		{Name: "year", Shape: "date.year()", Does: "its year",
			OnEmpty: none, Example: `date(msg["PID-7"]).year()`, Gives: "1970"},
		{Name: "month", Shape: "date.month()", Does: "its month, 1 to 12; a fault when it was not written",
			OnEmpty: none, Example: `date(msg["PID-7"]).month()`, Gives: "1"},
		{Name: "day", Shape: "date.day()", Does: "its day, 1 to 31; a fault when it was not written",
			OnEmpty: none, Example: `date(msg["PID-7"]).day()`, Gives: "31"},
		{Name: "hour", Shape: "date.hour()", Does: "its hour, 0 to 23; a fault when it was not written",
			OnEmpty: none, Example: `date(msg["PV1-44"]).hour()`, Gives: "10"},
		{Name: "minute", Shape: "date.minute()", Does: "its minute; a fault when it was not written",
			OnEmpty: none, Example: `date(msg["PV1-44"]).minute()`, Gives: "30"},
		{Name: "second", Shape: "date.second()", Does: "its second; a fault when it was not written",
			Example: `date(now).second()`, Gives: "0"},
		{Name: "weekday", Shape: "date.weekday()", Does: "1 is Monday, 7 Sunday; a fault when the day was not written",
			OnEmpty: none, Example: `date(msg["PV1-44"]).weekday()`, Gives: "2"},
		{Name: "age", Shape: `age(text, now) or age(text, date)`, Does: "whole years from a date of birth; one that is no date to the day, or comes later, is a fault",
			OnEmpty: "fault: age: the date of birth is no HL7 date; ask is_date(...) first", Example: `age(msg["PID-7"], now)`, Gives: "56"},
		{Name: "shift_days", Shape: `shift_days("secret", key, most)`, Does: "a number of days from -most to most, never 0, always the same for a key and not to be told without the declared secret",
			OnEmpty: "fault: shift_days: " + emptyHint, Example: `shift_days("research", msg["PID-3(5=NH).1"], 30)`, Gives: "-30"},
	}
}

func formReference() []Function {
	return []Function{
		{Name: "nhs_number_valid", Shape: "nhs_number_valid(text)", Does: "ten digits of which the last is the check digit; blanks and dashes between them are tolerated",
			OnEmpty: "false", Example: `nhs_number_valid(msg["PID-3(5=NH).1"])`, Gives: "true"},
		{Name: "ods_code_form", Shape: "ods_code_form(text)", Does: "has the form of an ODS code; whether there is such an organisation only a table can say",
			OnEmpty: "false", Example: `ods_code_form(msg["PV1-9.1"])`, Gives: "true"},
		{Name: "base64_encode", Shape: "base64_encode(text)", Does: "the text, in UTF-8, as base64 of up to 16 MiB",
			OnEmpty: `""`, Example: `base64_encode(msg["PID-5.1"])`, Gives: `"TydOZWlsbA=="`},
		{Name: "base64_decode", Shape: "base64_decode(text)", Does: "the text in UTF-8 that base64 holds, of up to 16 MiB; a fault when there is none",
			OnEmpty: `""`, Example: `base64_decode(base64_encode(msg["PID-5.1"]))`, Gives: `"O'Neill"`},
	}
}

func digestReference() []Function {
	return []Function{
		{Name: "sha256", Shape: "sha256(text)", Does: "the SHA-256 of the text in UTF-8, 64 hexadecimal digits; an empty text is a fault. What can be guessed can be found again: for people use hmac",
			OnEmpty: "fault: sha256: " + emptyHint, Example: `sha256(msg["PV1-9.1"])`, Gives: `"457819378203722d13dba1828d0c1014748f347b9cbbe7338e129fd09b34d924"`},
		{Name: "hmac", Shape: `hmac("secret", text)`, Does: "a pseudonym: HMAC-SHA256 with a declared secret, 64 hexadecimal digits; an empty text is a fault",
			OnEmpty: "fault: hmac: " + emptyHint, Example: `hmac("research", msg["PID-3(5=NH).1"])`, Gives: `"bbebe0214a5e242add217c4f247ed1f907fdad0415ca184f467dc4f7d77e28ab"`},
		{Name: "uuid", Shape: "uuid(text)", Does: "a UUID made of the text (RFC 9562, version 5), always the same for the same text; an empty text is a fault",
			OnEmpty: "fault: uuid: " + emptyHint, Example: `uuid(msg["MSH-10"])`, Gives: `"f88799fd-eedf-5983-9c2f-b766a85fc0c1"`},
	}
}
