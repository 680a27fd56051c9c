package dialect

// A FileBegin asks to upload a file. Its result is a Receiving.
type FileBegin struct {
	Ask
	Name     string
	Size     int64 // UnknownSize: the last block says so
	Conflict Conflict
	Check    string // what the whole file has to have: CRC-64 by ECMA-182, reflected, in hex digits; "" for none
	Key      string // the same in a request that is sent again; "" for none
}

// UnknownSize is the size of a file whose end its last block says.
const UnknownSize = -1

// A Conflict is what becomes of a file of the same name.
type Conflict byte

// The ways out of a conflict.
const (
	Replace  Conflict = iota // the new one takes its place
	Continue                 // one that is not whole is gone on with; one that is whole stays
	Refuse                   // it stays
)

// A Receiving is an upload under way.
type Receiving struct {
	ID      string
	Offset  int64 // how much is there
	Resumed bool  // it was under way before
}

// A FileWrite brings a block of an upload. Its result is a Received, with the
// error ErrFileCheck, too.
type FileWrite struct {
	Ask
	Upload string
	Offset int64
	Data   []byte // valid until the request is served
	Last   bool   // of a file of unknown size
}

// A Received is how far an upload is after a block.
type Received struct {
	Whole  bool   // the file is there
	Wanted string // the check as the device wrote it; "" for none
	Got    uint64 // the check as it is
}

// A FileCancel ends an upload. It has no result.
type FileCancel struct {
	Ask
	Upload string
}

// Why an upload does not go on.
const (
	ErrFileExists   requestError = "there is a file of this name already"
	ErrFileLarge    requestError = "the file is too large"
	ErrFileEmpty    requestError = "the file has no bytes"
	ErrFileQuota    requestError = "the device keeps too many files, or too many bytes"
	ErrFileBusy     requestError = "too many uploads are under way"
	ErrFileUnknown  requestError = "there is no such upload"
	ErrFileFinished requestError = "the upload is finished"
	ErrFileOffset   requestError = "the block does not begin where the upload ends"
	ErrFileBlock    requestError = "the block is too small, and not the last one"
	ErrFileBeyond   requestError = "the block goes beyond the end of the file"
	ErrFileCheck    requestError = "the file is not what its check says"
)
