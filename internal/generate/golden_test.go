package generate

// golden is the first admission of seed 1, lines ended by LF.
const golden = `MSH|^~\&|PAS|RXX|SPINE|RXX|20261122080616+0000||ADT^A01^ADT_A01|GEN0000100000001|P|2.4||||||UNICODE UTF-8
EVN|A01|20261122080616||||20261122080616
PID|1||H852739^^^RXX^PI~9998283620^^^NHS^NH||Specimen-Hale^Specima^^^Mrs^^L||19740223|F|||The Old Fixture^34 Mock \T\ Bull Yard^Llanbrawf^^ZZ99 3NH^GBR^H||01632960258^PRN^PH
PD1|||Mock \T\ Partners^^X99902|G9999901^Exampleby^Finn^^^Dr
NK1|1|Specimen-Hale^Jiří^^^^^L|SPO^Spouse||01632960400^PRN^PH
PV1|1|I|W02^BAY3^BED2^RXX|21|||C9999005^Fauxley^Esther^^^Dr|||340|||||||||V0000001^^^RXX^VN|||||||||||||||||||||||||20261122080616
AL1|1|MA|LAT^Latex^L|MO|Rash
AL1|2|MA|NUT^Nuts^L|MO|Rash
DG1|1||J45.9^Asthma^I10||20261122080616|A
`
