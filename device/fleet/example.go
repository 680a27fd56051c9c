package fleet

import (
	"embed"

	"github.com/matou-iot/matou/device/virtual"
)

//go:embed examples
var examples embed.FS

// Examples are scenarios.
var Examples = virtual.Shipped{FS: examples}
