package forms

// DateForm is a way to read and write dates: one with a name, or a layout.
type DateForm struct {
	name   string
	layout *Layout
}

// DateFormNames lists the forms that have a name.
func DateFormNames() []string { return []string{"hl7", "iso", "uk"} }

// NewDateForm takes the name of a form or a layout. The error is a *LayoutError.
func NewDateForm(text string) (DateForm, error) {
	switch text {
	case "hl7", "iso", "uk":
		return DateForm{name: text}, nil
	}
	l, err := NewLayout(text)
	if err != nil {
		return DateForm{}, err
	}
	return DateForm{name: text, layout: l}, nil
}

// HL7Dates is the form hl7.
func HL7Dates() DateForm { return DateForm{name: "hl7"} }

// String is the name, or the layout's text.
func (f DateForm) String() string { return f.name }

// Parse reads a date. The zero form reads none.
func (f DateForm) Parse(s string) (Date, bool) {
	switch {
	case f.layout != nil:
		return f.layout.Parse(s)
	case f.name == "hl7":
		return ParseHL7(s)
	case f.name == "iso":
		return ParseISO(s)
	case f.name == "uk":
		return ParseUK(s)
	}
	return Date{}, false
}

// Format writes a date; ok is false when a layout asks for more than the date has.
func (f DateForm) Format(d Date) (text string, ok bool) {
	switch {
	case f.layout != nil:
		return f.layout.Format(d)
	case f.name == "hl7":
		text = FormatHL7(d)
	case f.name == "iso":
		text = FormatISO(d)
	case f.name == "uk":
		text = FormatUK(d)
	}
	return text, text != ""
}
