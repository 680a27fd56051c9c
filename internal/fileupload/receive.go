package fileupload

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/content"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// Begin begins an upload, or goes on with one.
func (s *Service) Begin(ctx context.Context, r *dialect.FileBegin) (begun dialect.Receiving, err error) {
	defer s.refusals(&err)
	id := idOf(r.Claim)
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return dialect.Receiving{}, err
	}
	if r.Size > s.Limits.FileBytes {
		return dialect.Receiving{}, tooLarge(r.Size, s.Limits.FileBytes)
	}
	s.beginning.Lock()
	defer s.beginning.Unlock()
	if u := s.sameName(id, r.Name); u != nil {
		if u.goesOn(r) {
			return s.goOn(u)
		}
		s.drop(u)
	}
	if err := s.mayBegin(ctx, id, r); err != nil {
		return dialect.Receiving{}, err
	}
	if s.Room != nil {
		if err := s.Room(); err != nil {
			return dialect.Receiving{}, err
		}
	}
	u := &upload{touched: s.Now(), head: head{
		ID: strings.ToLower(rand.Text()), Product: id.Product, Device: id.Device, Name: r.Name, Size: r.Size, Check: r.Check, Key: r.Key, BegunAt: s.stamp(),
	}}
	if u.journal, err = begin(s.journalPath(u.ID), u.head); err == nil {
		err = syncDir(filepath.Join(s.Dir, incoming))
	}
	if err != nil {
		return dialect.Receiving{}, fault.Unavailable("begin an upload: %w", err)
	}
	s.add(u)
	s.counters.Begun.Add(1)
	return dialect.Receiving{ID: u.ID}, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sameName is the upload under way of a file of that name; nil for none.
func (s *Service) sameName(id registry.ID, name string) *upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.byDevice[id] {
		if u.Name == name {
			u.touched = s.Now()
			return u
		}
	}
	return nil
}

// goesOn reports whether a request means the upload u: it is the same request
// once more, or wants to go on with what is the same file by all it says.
func (u *upload) goesOn(r *dialect.FileBegin) bool {
	same := u.Size == r.Size && u.Check == r.Check
	return same && (r.Conflict == dialect.Continue || r.Key != "" && r.Key == u.Key)
}

func (s *Service) goOn(u *upload) (dialect.Receiving, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.gone {
		return dialect.Receiving{}, refuseUnknown(u.ID)
	}
	if err := s.wake(u); err != nil {
		return dialect.Receiving{}, err
	}
	if u.journal.size == u.Size {
		u.journal.forgetLast() // only a block can end an upload
	}
	return dialect.Receiving{ID: u.ID, Offset: u.journal.size, Resumed: true}, nil
}

// mayBegin holds an upload to the bounds, and to what is said of a file of the
// same name.
func (s *Service) mayBegin(ctx context.Context, id registry.ID, r *dialect.FileBegin) error {
	before, err := s.Store.File(ctx, id, r.Name)
	there := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if there && r.Conflict != dialect.Replace {
		return refuse(dialect.ErrFileExists, "upload-exists", "params.fileName", r.Name, "a name that is free, or conflictStrategy overwrite",
			"the device keeps a file "+r.Name+" already", "该设备已存在文件 "+r.Name,
			"choose another name, or ask with conflictStrategy overwrite", "请更换文件名，或使用 conflictStrategy=overwrite")
	}
	if err := s.fits(ctx, id, before, r.Size); err != nil {
		return err
	}
	s.mu.Lock()
	all, mine := len(s.uploads), s.byDevice[id]
	var oldest *upload
	if len(mine) >= s.Limits.DeviceUploads {
		oldest = mine[0]
	}
	s.mu.Unlock()
	if oldest != nil {
		s.drop(oldest)
		all--
	}
	if all >= s.Limits.Uploads {
		return refuse(dialect.ErrFileBusy, "upload-busy", "params", strconv.Itoa(all)+" uploads under way", "at most "+strconv.Itoa(s.Limits.Uploads),
			"too many uploads are under way", "正在进行的上传任务过多",
			"let the device try again later", "请让设备稍后重试")
	}
	return nil
}

// fits holds a device to what it may keep, with a file of size bytes in the
// place of before; a size that is not known counts as nothing.
func (s *Service) fits(ctx context.Context, id registry.ID, before File, size int64) error {
	has, err := s.Store.FileUsage(ctx, id)
	if err != nil {
		return err
	}
	if before.Name == "" {
		has.Files++
	}
	has.Bytes += max(size, 0) - before.Size
	if has.Files <= s.Limits.Files && has.Bytes <= s.Limits.DeviceBytes {
		return nil
	}
	return refuse(dialect.ErrFileQuota, "upload-quota", "params", fmt.Sprintf("%d files, %d bytes", has.Files, has.Bytes),
		fmt.Sprintf("at most %d files, %d bytes", s.Limits.Files, s.Limits.DeviceBytes),
		"with this file the device would keep more than it may", "加上该文件将超过该设备允许保存的文件数量或总大小",
		"delete files: matou device file remove "+id.String()+" NAME", "请删除部分文件：matou device file remove "+id.String()+" NAME")
}

// leastBlock is how small a block may be that is not the last [aliyun-device
// §4.13].
const leastBlock = 256

// Write takes a block. One that was taken already is taken once more: its
// acknowledgement was lost.
func (s *Service) Write(ctx context.Context, r *dialect.FileWrite) (got dialect.Received, err error) {
	defer s.refusals(&err)
	u := s.find(idOf(r.Claim), r.Upload)
	if u == nil {
		return dialect.Received{}, s.noUpload(ctx, idOf(r.Claim), r.Upload)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.gone {
		return dialect.Received{}, s.noUpload(ctx, idOf(r.Claim), r.Upload)
	}
	if err := s.wake(u); err != nil {
		return dialect.Received{}, err
	}
	end := r.Offset + int64(len(r.Data))
	last := end == u.Size || u.Size == dialect.UnknownSize && r.Last
	if markOf(r.Offset, r.Data) != u.journal.last || len(r.Data) == 0 {
		if err := s.accepts(u, r, end, last); err != nil {
			return dialect.Received{}, err
		}
	}
	if r.Offset == u.journal.size && len(r.Data) > 0 {
		if s.Room != nil {
			if err := s.Room(); err != nil {
				return dialect.Received{}, err
			}
		}
		if err := u.journal.add(r.Data); err != nil {
			return dialect.Received{}, fault.Unavailable("keep a block of an upload: %w", err)
		}
		s.counters.Bytes.Add(int64(len(r.Data)))
	}
	if !last {
		return dialect.Received{}, nil
	}
	return s.finish(ctx, u)
}

// accepts judges a block that was not taken before.
func (s *Service) accepts(u *upload, r *dialect.FileWrite, end int64, last bool) error {
	there := u.journal.size
	switch {
	case r.Offset != there:
		return refuse(dialect.ErrFileOffset, "upload-offset", "params.offset", strconv.FormatInt(r.Offset, 10), strconv.FormatInt(there, 10),
			fmt.Sprintf("the block begins at %d, but %d bytes are there", r.Offset, there), fmt.Sprintf("分片的 offset 为 %d，而已上传 %d 字节", r.Offset, there),
			"send blocks one behind the other, each when the one before is answered; ask with conflictStrategy append where to go on",
			"请按顺序逐片上传，收到应答后再发送下一片；续传位置可用 conflictStrategy=append 查询")
	case u.Size != dialect.UnknownSize && end > u.Size:
		return refuse(dialect.ErrFileBeyond, "upload-beyond", "params.bSize", strconv.Itoa(len(r.Data)), "at most "+strconv.FormatInt(u.Size-there, 10),
			fmt.Sprintf("the block ends at %d, but the file has %d bytes", end, u.Size), fmt.Sprintf("分片结束于 %d，而文件只有 %d 字节", end, u.Size),
			"send as many bytes as fileSize said, or -1 for a size that is not known", "请按 fileSize 发送；大小未知时 fileSize 应为 -1")
	case end > s.Limits.FileBytes:
		s.end(u)
		return tooLarge(end, s.Limits.FileBytes)
	case last && end == 0:
		s.end(u)
		return refuse(dialect.ErrFileEmpty, "upload-empty", "params.bSize", "0", "at least 1 byte in the file",
			"the file ends before it has a byte", "文件内容为空", "upload a file that is not empty", "请上传非空文件")
	case !last && len(r.Data) < leastBlock:
		return refuse(dialect.ErrFileBlock, "upload-block-small", "params.bSize", strconv.Itoa(len(r.Data)), "at least 256, but for the last block",
			"the block is too small", "分片小于 256 字节，且不是最后一片",
			"send blocks of 256 to 131072 bytes; a last block of a file of unknown size says isComplete", "分片应为 256 到 131072 字节；大小未知的文件，最后一片须带 isComplete")
	}
	return nil
}

// finish makes the file visible. The caller holds u.mu.
func (s *Service) finish(ctx context.Context, u *upload) (got dialect.Received, err error) {
	from, err := u.journal.open()
	if err != nil {
		return got, fault.Unavailable("%w", err)
	}
	defer from.Close()
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	staged, err := s.content.Stage(ctx, content.File{Name: u.Name}, io.TeeReader(from, sum), content.Want{Size: u.journal.size}, s.Limits.FileBytes)
	if err != nil {
		return got, fault.Unavailable("put an upload together: %w", err)
	}
	got.Wanted, got.Got = u.Check, sum.Sum64()
	if u.Check != "" {
		if want, err := strconv.ParseUint(u.Check, 16, 64); err != nil || want != got.Got {
			s.content.Drop(staged)
			s.end(u)
			return got, refuse(dialect.ErrFileCheck, "upload-check", "params.ficValue", u.Check, fmt.Sprintf("%016x", got.Got),
				"the file is not the one that its CRC-64 says; the upload has ended", "文件的 CRC-64 与 ficValue 不一致，上传任务已结束",
				"make CRC-64 by ECMA-182 (reflected, as the C SDK does) of the whole file, and upload it again", "请对整个文件计算 CRC-64（ECMA-182，与 C SDK 一致）后重新上传")
		}
	}
	f := File{
		Product: u.Product, Device: u.Device, Name: u.Name, Size: staged.Size, SHA256: staged.SHA256, CRC64: fmt.Sprintf("%016x", got.Got),
		Upload: u.ID, BegunAt: u.BegunAt, ArrivedAt: s.stamp(),
	}
	if err := s.show(ctx, f, staged); err != nil {
		if r, ok := errors.AsType[*dialect.Refusal](err); ok || fault.KindOf(err) == fault.KindNotFound {
			s.end(u)
			if ok {
				return got, r
			}
		}
		return got, err
	}
	if err := s.announce(f); err != nil {
		return got, fault.Unavailable("say that a file arrived: %w", err)
	}
	s.end(u)
	s.counters.Arrived.Add(1)
	got.Whole = true
	return got, nil
}

// show keeps the content and then the file that has it.
func (s *Service) show(ctx context.Context, f File, staged content.Staged) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	defer s.content.Drop(staged) // what was kept has another name by then
	id := registry.ID{Product: f.Product, Device: f.Device}
	before, err := s.Store.File(ctx, id, f.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if before.Upload == f.Upload {
		return nil // only its announcement was missing
	}
	if err := s.fits(ctx, id, before, f.Size); err != nil {
		return err
	}
	if err := s.content.Keep(staged); err != nil {
		return fault.Unavailable("%w", err)
	}
	replaced, err := s.Store.SaveFile(ctx, f)
	if err != nil {
		s.removeUnused(ctx, f.SHA256)
		if errors.Is(err, ErrNotFound) {
			return fault.NotFound("product %q has no device %q", f.Product, f.Device)
		}
		return err
	}
	s.removeUnused(ctx, replaced)
	return nil
}

// removeUnused removes content that no file has. The caller holds s.changes.
func (s *Service) removeUnused(ctx context.Context, digest string) {
	if digest == "" {
		return
	}
	used, err := s.Store.FileUsed(ctx, digest)
	if err == nil && !used {
		err = s.content.Remove(digest)
	}
	if err != nil {
		s.Log.Error("content of a file that is gone; it is removed at the next start", "digest", digest, "error", err)
	}
}

// announce says, durably, that a file arrived.
func (s *Service) announce(f File) error {
	body, err := record.File{Name: f.Name, Size: f.Size, SHA256: f.SHA256}.Append(nil)
	if err != nil {
		return err
	}
	entry := s.Trace.Record(trace.Entry{
		Product: f.Product, Device: f.Device, Kind: trace.Note, Code: "file-arrived", Size: int(f.Size),
		Sentence: fmt.Sprintf("the file %s of %d bytes arrived", f.Name, f.Size), SentenceZH: fmt.Sprintf("文件 %s（%d 字节）已上传完成", f.Name, f.Size),
		Detail: f,
	})
	return s.Feed.Append(record.Record{
		Kind: record.FileArrived, Product: f.Product, Device: f.Device, Time: f.ArrivedAt, TraceID: entry, Body: body,
	}).Wait()
}

// Cancel ends an upload.
func (s *Service) Cancel(ctx context.Context, r *dialect.FileCancel) (done dialect.Done, err error) {
	defer s.refusals(&err)
	u := s.find(idOf(r.Claim), r.Upload)
	if u == nil {
		return dialect.Done{}, s.noUpload(ctx, idOf(r.Claim), r.Upload)
	}
	s.drop(u)
	s.counters.Cancelled.Add(1)
	return dialect.Done{}, nil
}

// noUpload says why there is no upload of that id.
func (s *Service) noUpload(ctx context.Context, id registry.ID, upload string) error {
	f, err := s.Store.FileOf(ctx, upload)
	switch {
	case err == nil && f.Product == id.Product && f.Device == id.Device:
		return refuse(dialect.ErrFileFinished, "upload-finished", "params.uploadId", upload, "an upload that is under way",
			"the file of this upload is there already", "该上传任务已完成", "nothing is left to be sent", "无需再发送")
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	return refuseUnknown(upload)
}

func refuseUnknown(upload string) error {
	return refuse(dialect.ErrFileUnknown, "upload-unknown", "params.uploadId", upload, "that of the last answer to init",
		"there is no such upload, or no longer", "上传任务不存在或已失效",
		"ask with thing/file/upload/mqtt/init again; an upload is forgotten after a day without a block", "请重新请求 thing/file/upload/mqtt/init；超过 24 小时没有分片的任务会被删除")
}

func tooLarge(size, most int64) error {
	return refuse(dialect.ErrFileLarge, "upload-large", "params.fileSize", strconv.FormatInt(size, 10), "at most "+strconv.FormatInt(most, 10),
		"the file is larger than it may be", "文件大小超过上限",
		"split it, or raise files.maxFileBytes", "请拆分文件，或调大 files.maxFileBytes")
}

func refuse(cause error, code, field, received, expected, en, zh, advice, adviceZH string) error {
	return &dialect.Refusal{Cause: cause, Diagnosis: dialect.Diagnosis{
		Code: code, Field: field, Received: received, Expected: expected, Sentence: en, SentenceZH: zh, Advice: advice, AdviceZH: adviceZH,
	}}
}
