package generate

// The lists hold nobody's name: families are made of words for what is not real,
// and some exercise what messages get wrong (accents, apostrophes, hyphens, and the
// delimiter &). Only those that the character set can write are used.

func families() []string {
	return []string{"Testerby", "Sampleton", "Mockford", "O'Dummy", "Specimen-Hale", "Fikshun", "Pretendergast", "Placeholder",
		"Exampleby", "McTrial", "Figment & Daughter", "D'Essai", "Ångstest", "Müstermann", "Ní Bréige", "Prøvesen", "Façade-Lunn",
		"Imagínez", "Nobody", "Stubbs-Mock", "Fauxley", "Simulacre", "Łudzik", "Zkouška", "Ωmega"}
}

func girls() []string {
	return []string{"Alpha", "Zoë", "Siân", "Renée", "Testina", "Beta-May", "Åse", "Mockelle", "Noémie", "Specima", "Ďoka", "Delta"}
}

func boys() []string {
	return []string{"Omega", "Jürgen", "Seán", "Testopher", "Mockael", "Björn", "Gamma-Lee", "François", "Exemplar", "Sigmund", "Jiří", "Trialbert"}
}

func titles(sex string) []string {
	if sex == "F" {
		return []string{"Mrs", "Ms", "Miss", "Dr"}
	}
	return []string{"Mr", "Dr"}
}

func streets() []string {
	return []string{"Example Street", "Sample Road", "St Nobody's Close", "Placeholder Lane", "Mock & Bull Yard", "Test Crescent",
		"Rue de l'Essai", "Fictitious Way", "Heol y Prawf", "Dummy Drive"}
}

func houses() []string {
	return []string{"", "", "", "Flat 2", "The Old Fixture", "Ty Prawf", "Unit 7\\9"}
}

func towns() []string {
	return []string{"Testington", "Mockham", "Samplebury", "Llanbrawf", "Fikton-on-Sea", "Great Placeholder"}
}

type coded struct{ code, text string }

func wards() []coded {
	return []coded{{"W01", "Acute Medicine"}, {"W02", "Respiratory"}, {"W03", "Stroke"}, {"W04", "Surgery A"}, {"W05", "Surgery B"},
		{"W06", "Orthopaedics"}, {"W07", "Care of the Elderly"}, {"W08", "Paediatrics"}}
}

// specialties are main specialty codes as a PAS sends them.
func specialties() []coded {
	return []coded{{"300", "General Medicine"}, {"340", "Respiratory Medicine"}, {"328", "Stroke Medicine"}, {"100", "General Surgery"},
		{"100", "General Surgery"}, {"110", "Trauma and Orthopaedics"}, {"430", "Geriatric Medicine"}, {"420", "Paediatrics"}}
}

func consultants() []clinician {
	return []clinician{{"C9999001", "Mockford", "Ada"}, {"C9999002", "O'Dummy", "Brendan"}, {"C9999003", "Sampleton", "Chi"},
		{"C9999004", "Placeholder", "Dev"}, {"C9999005", "Fauxley", "Esther"}}
}

// A clinician is known by code: code, family, given.
type clinician struct{ code, family, given string }

func practices() []coded {
	return []coded{{"X99901", "The Example Surgery"}, {"X99902", "Mock & Partners"}, {"X99903", "Meddygfa Prawf"}}
}

func gps() []clinician {
	return []clinician{{"G9999901", "Exampleby", "Finn"}, {"G9999902", "McTrial", "Gwen"}, {"G9999903", "Stubbs-Mock", "Hal"}}
}

func diagnoses() []coded {
	return []coded{{"J18.9", "Pneumonia"}, {"I63.9", "Stroke"}, {"S72.0", "Broken neck of femur"}, {"K35.8", "Appendicitis"},
		{"N39.0", "Urinary infection"}, {"I50.0", "Heart failure"}, {"J45.9", "Asthma"}, {"A09.9", "Gastroenteritis & colitis"}}
}

func allergies() []coded {
	return []coded{{"PEN", "Penicillin"}, {"LAT", "Latex"}, {"NUT", "Nuts"}, {"ELA", "Plaster (adhesive)"}}
}

func clinics() []coded {
	return []coded{{"CL01", "Chest Clinic"}, {"CL02", "Fracture Clinic"}, {"CL03", "Ear, Nose & Throat"}, {"CL04", "Diabetes"}}
}
