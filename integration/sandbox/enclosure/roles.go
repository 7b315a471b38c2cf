package enclosure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// The executable learns from the environment that it was started as a supervisor or as init. Neither
// variable reaches the programs.
const (
	roleVariable        = "STAGECRAFT_ENCLOSURE_ROLE"
	arrangementVariable = "STAGECRAFT_ENCLOSURE"
	roleSupervisor      = "supervisor"
	roleInit            = "init"
)

// lockFile, inside an enclosure's folder, is locked by the supervisor for as long as it lives.
const lockFile = ".lock"

// socketFD is where the supervisor and init find the socket: the first of exec.Cmd's ExtraFiles.
const socketFD = 3

// arrangement is what the caller tells the supervisor, and the supervisor tells init.
type arrangement struct {
	Parent         string // where the supervisor makes the folder
	Dir            string // the folder, set by the supervisor
	PrivateNetwork bool
}

// greeting is what the supervisor answers when init runs, or cannot.
type greeting struct {
	Dir   string
	Init  int
	Error string
}

// order goes from the caller to init: start a program, or send one a signal.
type order struct {
	ID      int
	Program Program
	Log     string
	Signal  int
}

// event goes from init to the caller: a program started, could not start, or has ended.
type event struct {
	ID     int
	Error  string
	Exited bool
	Status uint32
}

// The executable takes its role before main runs, so that every test binary can supervise itself and
// no other program has to be built first.
func init() {
	role := os.Getenv(roleVariable)
	if role == "" {
		return
	}
	var a arrangement
	if err := json.Unmarshal([]byte(os.Getenv(arrangementVariable)), &a); err != nil {
		fmt.Fprintln(os.Stderr, "enclosure:", err)
		os.Exit(2)
	}
	os.Unsetenv(roleVariable)
	os.Unsetenv(arrangementVariable)
	var err error
	switch role {
	case roleSupervisor:
		err = supervise(a)
	case roleInit:
		err = beInit(a)
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// supervise makes the folder, starts init, waits for its end and removes what is left. It runs on the
// main thread, as everything before main does: init's parent death signal is bound to the thread that
// forks, and the main thread ends only with the process.
func supervise(a arrangement) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	answer := json.NewEncoder(os.Stdout)
	refuse := func(err error) error {
		_ = answer.Encode(greeting{Error: err.Error()})
		return err
	}

	dir, err := os.MkdirTemp(a.Parent, prefix)
	if err != nil {
		return refuse(err)
	}
	if err := lockFolder(dir); err != nil {
		return refuse(errors.Join(err, os.RemoveAll(dir)))
	}
	tools.Scatter(dir)
	a.Dir = dir
	text, err := json.Marshal(a)
	if err != nil {
		return refuse(errors.Join(err, os.RemoveAll(dir)))
	}

	socket := os.NewFile(socketFD, "socket")
	pid1 := exec.Command("/proc/self/exe")
	pid1.Args = []string{"stagecraft-init"}
	pid1.Env = append(os.Environ(), roleVariable+"="+roleInit, arrangementVariable+"="+string(text))
	pid1.ExtraFiles = []*os.File{socket}
	pid1.Stderr = os.Stderr
	pid1.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if a.PrivateNetwork {
		pid1.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	}
	ready, err := pid1.StdoutPipe()
	if err == nil {
		err = pid1.Start()
	}
	if err != nil {
		return refuse(errors.Join(fmt.Errorf("making namespaces: %w", err), os.RemoveAll(dir)))
	}
	// Only the caller may hold the other end, and only init this one, or the end would go unnoticed.
	socket.Close()
	var hello greeting
	if err := json.NewDecoder(ready).Decode(&hello); err != nil {
		hello.Error = "init ended early"
	}
	hello.Dir, hello.Init = dir, pid1.Process.Pid
	_ = answer.Encode(hello)

	// The wait ends when the last process of the namespace has been reaped. Init's own status says
	// nothing: the kernel or the end of the stream ended it.
	_ = pid1.Wait()
	return remove(dir)
}

// lockFolder marks the folder as in use for as long as this process lives. The file gets its name
// once it is locked, so that sweep never finds it unlocked.
func lockFolder(dir string) error {
	fd, err := unix.Open(filepath.Join(dir, lockFile+".new"), unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("lock file: %w", err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock file: %w", err)
	}
	return os.Rename(filepath.Join(dir, lockFile+".new"), filepath.Join(dir, lockFile))
}

// beInit is process 1 of the namespace. It returns, and so ends every other process, when the caller
// is gone.
func beInit(a arrangement) error {
	answer := json.NewEncoder(os.Stdout)
	if err := setUp(a); err != nil {
		_ = answer.Encode(greeting{Error: err.Error()})
		return err
	}
	socket := os.NewFile(socketFD, "socket")
	// The programs must not inherit the socket: one that lives on would keep the stream open.
	syscall.CloseOnExec(socketFD)
	if err := answer.Encode(greeting{}); err != nil {
		return err
	}
	os.Stdout.Close()

	s := &starter{answers: json.NewEncoder(socket), ids: map[int]int{}, wake: make(chan struct{}, 1)}
	go s.reap()
	orders := json.NewDecoder(socket)
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if o.Signal != 0 {
			s.signal(o)
		} else {
			s.start(o)
		}
	}
}

// setUp gives init's mount namespace what the programs expect: a /proc that shows this PID namespace,
// and a /run of their own, since runc keeps its state in a fixed folder there.
func setUp(a arrangement) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	// Name resolution may go through systemd-resolved's file below /run.
	const resolve = "/run/systemd/resolve"
	kept, keptErr := os.Open(resolve)
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mounting /run: %w", err)
	}
	if keptErr == nil {
		defer kept.Close()
		if err := os.MkdirAll(resolve, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", kept.Fd()), resolve, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("keeping %s: %w", resolve, err)
		}
	}
	if err := os.MkdirAll("/run/lock", 0o1777); err != nil {
		return err
	}
	if a.PrivateNetwork {
		return loopbackUp()
	}
	return nil
}

// loopbackUp brings up the loopback interface of a new network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("bringing up the loopback interface: %w", err)
	}
	return nil
}

// starter starts programs inside init and tells of their ends.
type starter struct {
	mu      sync.Mutex
	answers *json.Encoder
	ids     map[int]int // process id to the caller's id
	wake    chan struct{}
}

func (s *starter) start(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pid, err := launch(o)
	answer := event{ID: o.ID}
	if err != nil {
		answer.Error = err.Error()
	} else {
		s.ids[pid] = o.ID
	}
	_ = s.answers.Encode(answer)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// launch uses syscall.ForkExec because package os would wait for processes behind reap's back.
func launch(o order) (int, error) {
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	return syscall.ForkExec(o.Program.Path, append([]string{o.Program.Path}, o.Program.Args...), &syscall.ProcAttr{
		Dir:   o.Program.Dir,
		Env:   o.Program.Env,
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

func (s *starter) signal(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid, id := range s.ids {
		if id == o.ID {
			_ = syscall.Kill(pid, syscall.Signal(o.Signal))
		}
	}
}

// reap takes the exit status of every process of the namespace, as process 1 must, and reports those
// that the caller started.
func (s *starter) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.ECHILD) {
			<-s.wake
			continue
		}
		if err != nil {
			continue
		}
		s.mu.Lock()
		if id, ok := s.ids[pid]; ok {
			delete(s.ids, pid)
			_ = s.answers.Encode(event{ID: id, Exited: true, Status: uint32(status)})
		}
		s.mu.Unlock()
	}
}
