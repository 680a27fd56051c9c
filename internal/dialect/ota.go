package dialect

// A VersionReport says which version a module of the device runs. It has no
// result.
type VersionReport struct {
	Ask
	Module  string
	Version string
}

// An UpgradeProgress says how an upgrade goes on the device. It has no result.
type UpgradeProgress struct {
	Ask
	Task    int64  // of one upgrade; 0: whichever the module has
	Module  string // "" where Task says it
	Percent int    // 0 to 100
	Code    string // the device's own of a failure, "" while it goes well
	Done    bool   // the new version runs; vendors whose devices report versions never say so
	Desc    string // the device's words, or what the code means
	DescZH  string
}

// An UpgradeQuery asks for an upgrade of a module. Its result is an *Upgrade,
// nil where there is none.
type UpgradeQuery struct {
	Ask
	Module  string
	Version string // that it runs, "" where it does not say
}

// An UpgradeHeard says that the device has taken note of an upgrade. It has no
// result.
type UpgradeHeard struct{ Ask }

// A FileRead asks for a part of a file. Its result is a Block.
type FileRead struct {
	Ask
	Stream int64 // the upgrade that the file belongs to
	File   int64 // counted from 1
	Token  string
	Offset int64
	Size   int64
}

// A Block is a part of a file.
type Block struct {
	Data   []byte
	Offset int64
	Length int64  // of the whole file
	Token  string // changes with the file
}

// An Upgrade is what a device has to know to upgrade a module.
type Upgrade struct {
	Task     int64
	Module   string // DefaultModule for the main firmware
	Version  string
	Diff     bool // the files are a difference to the version that runs
	Method   string
	Files    []UpgradeFile
	Extra    string // a JSON object for the device, "" for none
	OverMQTT bool   // the file is fetched with FileRead; else it has an URL
}

// DefaultModule is the main firmware of a device.
const DefaultModule = "default"

// The methods by which a device checks what it fetched.
const (
	MD5    = "md5"
	SHA256 = "sha256"
)

// An UpgradeFile is one file of an Upgrade. Digests are hexadecimal, in lower
// case.
type UpgradeFile struct {
	Name   string
	Size   int64
	URL    string
	MD5    string
	SHA256 string
}

// An Upgrader is a Dialect that can tell a device of an upgrade.
type Upgrader interface {
	// Upgrade says it; for a device that then asks for the rest, u may lack it.
	Upgrade(c Claim, u *Upgrade) []Downlink
}
