// Package enclosure runs programs so that nothing of them outlives the program that started them: no
// process, no mount, no control group and no folder, even when that program is killed with SIGKILL.
//
// Three processes take part, all of them the same executable:
//
//	the caller      asks for programs over a socket
//	the supervisor  in a session of its own; waits for init's end, then removes what is left
//	init            process 1 of new PID and mount namespaces; starts the programs
//
// When the caller closes its end of the socket, or dies in whatever way, init reads the end of the
// stream and exits. The kernel then kills every process of the namespace and drops its mounts, which
// no program can escape, and the supervisor removes the folder and the control groups. Should the
// supervisor itself be killed, the kernel kills init (a parent death signal), and the next New
// removes the folder.
//
// Linux only, and it takes root.
package enclosure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// prefix begins the name of every enclosure's folder and control group.
const prefix = "stagecraft-"

// Option changes what New makes.
type Option func(*arrangement)

// PrivateNetwork gives the programs a network of their own in which only the loopback interface is
// up; Enclosure.Dial reaches it. Two enclosures can then listen on the same port.
func PrivateNetwork() Option { return func(a *arrangement) { a.PrivateNetwork = true } }

// Enclosure is a set of namespaces with a folder, in which programs run until Close.
type Enclosure struct {
	// Dir is the folder that is removed with the enclosure; programs keep everything in it.
	Dir string
	// Cgroup is the absolute control group path below which programs may create groups.
	Cgroup string

	init       int // process id of init, seen from outside
	supervisor *exec.Cmd
	complaints *bytes.Buffer // what the supervisor wrote on standard error
	socket     *os.File

	mu      sync.Mutex
	encoder *json.Encoder
	next    int
	running map[int]*Process
	ended   chan struct{} // closed when the socket has no more to read

	closing  sync.Once
	closeErr error
}

// Program is what Start runs.
type Program struct {
	Name string   // names the log file; letters, digits and dashes
	Path string   // absolute
	Args []string // without the program's own name
	Env  []string // the whole environment; nil: the caller's
	Dir  string   // working directory; empty: the enclosure's
}

// Process is a program that was started.
type Process struct {
	// Log is the file with what the program wrote on standard output and standard error.
	Log string

	enclosure *Enclosure
	id        int
	started   chan error
	done      chan struct{} // closed when the program has ended
	status    syscall.WaitStatus
}

// New makes an enclosure. Its folder is made in the folder for temporary files.
func New(ctx context.Context, opts ...Option) (*Enclosure, error) {
	if os.Getuid() != 0 {
		return nil, errors.New("the engines take root: namespaces, mounts and containers are made for them")
	}
	sweep()
	var a arrangement
	for _, opt := range opts {
		opt(&a)
	}
	a.Parent = os.TempDir()

	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket pair: %w", err)
	}
	// Non-blocking, so that Close wakes the reader.
	if err := unix.SetNonblock(pair[0], true); err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "enclosure"), os.NewFile(uintptr(pair[1]), "enclosure")
	defer theirs.Close()

	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	e := &Enclosure{
		socket: ours, encoder: json.NewEncoder(ours), complaints: new(bytes.Buffer),
		running: map[int]*Process{}, ended: make(chan struct{}),
	}
	e.supervisor = exec.Command("/proc/self/exe")
	e.supervisor.Args = []string{"stagecraft-supervisor"}
	// A program built with the race detector sleeps a second before it exits; supervisor and init need not.
	e.supervisor.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", roleVariable+"="+roleSupervisor, arrangementVariable+"="+string(text))
	e.supervisor.ExtraFiles = []*os.File{theirs}
	e.supervisor.Stderr = e.complaints
	// A session of its own: an interrupt from the terminal, or a signal to the caller's process group,
	// must not end the one process that tidies up.
	e.supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := e.supervisor.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.supervisor.Start(); err != nil {
		ours.Close()
		return nil, fmt.Errorf("starting the supervisor: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { ours.Close() })
	var hello greeting
	err = json.NewDecoder(out).Decode(&hello)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err == nil && hello.Error != "" {
		err = errors.New(hello.Error)
	}
	if err != nil {
		ours.Close()
		_ = e.supervisor.Wait()
		return nil, fmt.Errorf("making an enclosure: %w%s", err, e.complaint())
	}
	e.Dir, e.init, e.Cgroup = hello.Dir, hello.Init, "/"+filepath.Base(hello.Dir)
	go e.listen()
	return e, nil
}

// listen takes init's messages until the end of the enclosure.
func (e *Enclosure) listen() {
	decoder := json.NewDecoder(e.socket)
	for {
		var m event
		if err := decoder.Decode(&m); err != nil {
			break
		}
		e.mu.Lock()
		p := e.running[m.ID]
		if p != nil && m.Exited {
			p.status = syscall.WaitStatus(m.Status)
			delete(e.running, m.ID)
			close(p.done)
		}
		e.mu.Unlock()
		if p != nil && !m.Exited {
			if m.Error != "" {
				p.started <- errors.New(m.Error)
			} else {
				p.started <- nil
			}
		}
	}
	close(e.ended)
}

// Start starts a program and returns once it runs.
func (e *Enclosure) Start(p Program) (*Process, error) {
	if p.Env == nil {
		p.Env = os.Environ()
	}
	if p.Dir == "" {
		p.Dir = e.Dir
	}
	e.mu.Lock()
	e.next++
	proc := &Process{
		Log:       filepath.Join(e.Dir, fmt.Sprintf("%s.%d.log", p.Name, e.next)),
		enclosure: e, id: e.next, started: make(chan error, 1), done: make(chan struct{}),
	}
	e.running[proc.id] = proc
	err := e.encoder.Encode(order{ID: proc.id, Program: p, Log: proc.Log})
	e.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	select {
	case err := <-proc.started:
		if err != nil {
			e.mu.Lock()
			delete(e.running, proc.id)
			e.mu.Unlock()
			return nil, fmt.Errorf("starting %s: %w", p.Name, err)
		}
		return proc, nil
	case <-e.ended:
		return nil, fmt.Errorf("starting %s: the enclosure has ended", p.Name)
	}
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the program's end and returns its exit status, or 128 and the signal's number where
// a signal ended it, as a shell counts.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
	case <-p.enclosure.ended:
		return 0, errors.New("the enclosure has ended")
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if p.status.Signaled() {
		return 128 + int(p.status.Signal()), nil
	}
	return p.status.ExitStatus(), nil
}

// Signal sends the program a signal. One that has ended is no error.
func (p *Process) Signal(s syscall.Signal) error {
	p.enclosure.mu.Lock()
	defer p.enclosure.mu.Unlock()
	return p.enclosure.encoder.Encode(order{ID: p.id, Signal: int(s)})
}

// Stop asks the program to end with a signal, and kills it when it has not within the grace period.
func (p *Process) Stop(ctx context.Context, ask syscall.Signal, grace time.Duration) error {
	for _, s := range []syscall.Signal{ask, syscall.SIGKILL} {
		if err := p.Signal(s); err != nil {
			return err
		}
		select {
		case <-p.done:
			return nil
		case <-p.enclosure.ended:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(grace):
		}
	}
	return errors.New("the program does not end")
}

// Dial connects to an address as seen from within the enclosure's network.
func (e *Enclosure) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = e.within(func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen opens a listener in the enclosure's network, for a service that the caller offers to the
// programs. The caller closes it.
func (e *Enclosure) Listen(network, address string) (listener net.Listener, err error) {
	err = e.within(func() (err error) {
		listener, err = net.Listen(network, address)
		return err
	})
	return listener, err
}

// within calls open, which is to open a socket, in the enclosure's network.
func (e *Enclosure) within(open func() error) error {
	done := make(chan error, 1)
	go func() {
		// A thread's network namespace decides where its new sockets live. The thread is not given
		// back to the scheduler: it ends with this goroutine.
		runtime.LockOSThread()
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", e.init))
		if err != nil {
			done <- err
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering the enclosure's network: %w", err)
			return
		}
		done <- open()
	}()
	return <-done
}

// Close ends every program, drops the mounts and removes the folder, and returns when that is done.
func (e *Enclosure) Close() error {
	e.closing.Do(func() {
		e.socket.Close()
		if err := e.supervisor.Wait(); err != nil {
			e.closeErr = fmt.Errorf("tidying up %s: %w%s", e.Dir, err, e.complaint())
		}
	})
	return e.closeErr
}

// complaint is what the supervisor wrote, to be appended to an error.
func (e *Enclosure) complaint() string {
	if text := strings.TrimSpace(e.complaints.String()); text != "" {
		return ": " + text
	}
	return ""
}

// sweep removes the folders of enclosures whose supervisor was killed. A living supervisor holds the
// lock on its folder's lock file.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*", lockFile))
	for _, path := range dirs {
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = remove(filepath.Dir(path))
		}
		file.Close()
	}
}

// remove deletes an enclosure's folder and its control groups.
func remove(dir string) error {
	err := os.RemoveAll(dir)
	name := filepath.Base(dir)
	var groups []string
	for _, pattern := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name} {
		found, _ := filepath.Glob(pattern)
		groups = append(groups, found...)
	}
	for _, group := range groups {
		var nested []string
		_ = filepath.WalkDir(group, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				nested = append(nested, path)
			}
			return nil
		})
		// A group must be empty to be removed, and its files cannot be unlinked: innermost first.
		for i := len(nested) - 1; i >= 0; i-- {
			if rmErr := removeGroup(nested[i]); rmErr != nil && err == nil {
				err = fmt.Errorf("removing the control group %s: %w", nested[i], rmErr)
			}
		}
	}
	return err
}

// removeGroup removes one empty control group. The kernel calls it busy for a moment after the last
// process in it was reaped, a longer one where the machine is busy.
func removeGroup(path string) error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err := unix.Rmdir(path); !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return err
		}
	}
}

var _ io.Closer = (*Enclosure)(nil)
