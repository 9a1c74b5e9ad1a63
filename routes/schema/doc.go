// Package schema says which files a project has and what may stand in them, as Go
// types: a struct for each mapping, a field for each key, with its words, bounds,
// default, and what the loader says when it is missing. From these types come the
// JSON Schema that editors complete and check with (JSON) and the reference page
// (Markdown), so that neither can say what the other does not.
//
//	struct      key:"reply" doc:"..." def:"30s" missing:"problem" one:"hold skip" refused:"why"
//	            its blank field: what:"the loader's name of the mapping" title:"..." doc:"..."
//	map, slice  any keys of one kind; a list, for which a single element may stand alone
//	forms()     texts, lists and mappings that may stand in one place: hold, or { drop: why }
//	picks()     mappings told apart by a key: { peer: ... } or { mllp: ... }
//	scalar      a text that has a form: 30s, 16MiB, PID-3(5=NH).1
//
// The types are never filled: the loader reads positioned nodes, and it alone
// decides. A test loads every project there is and compares the keys that the
// loader knows with the fields of the type of that name, both ways, and whatever
// the loader takes has to be valid. The schema may take more than the loader, for
// it knows no selectors, expressions, files or names of other places.
//
// The package reads nothing and reflects on nothing but its own types. The
// command line imports it.
package schema
