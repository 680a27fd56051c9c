package series

import (
	"testing"

	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.History(t, func(t *testing.T) history.Store {
		d, err := Open(t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	})
}

func TestDevicePrefixIsFound(t *testing.T) {
	key := append(deviceKey(rowReport, "pk", "dn"), 1, 2, 3)
	if got := devicePrefix(key); string(got) != string(deviceKey(rowReport, "pk", "dn")) {
		t.Errorf("%x", got)
	}
	for _, bad := range [][]byte{{rowReport}, {rowReport, 200, 1}, {rowReport, 5, 'a'}} {
		if devicePrefix(bad) != nil {
			t.Errorf("%x was read", bad)
		}
	}
}
