package consoletest

import (
	"strings"
	"testing"
)

// No hostile content runs, breaks the policy or makes a page wider than a phone, nor does
// any kind of file.
func TestHostileObjects(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	p := blank(t, s, options{width: 390})
	for name := range s.IDs {
		bucket := ""
		for _, b := range []string{"hostile", "documents"} {
			if strings.HasPrefix(name, "studio/"+b+"/") {
				bucket = b
			}
		}
		if bucket == "" {
			continue
		}
		p.visit("console/n/{studio}/b/{studio/" + bucket + "}/o/{" + name + "}/")
		for _, fault := range append(p.tab.Faults(), eval[[]string](p, "("+judge+")(390)")...) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}
