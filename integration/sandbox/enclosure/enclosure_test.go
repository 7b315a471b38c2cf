package enclosure_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// busyVariable makes this test binary act as a program that uses an enclosure until it is killed.
const busyVariable = "STAGECRAFT_TEST_BUSY"

func TestMain(m *testing.M) {
	if os.Getenv(busyVariable) != "" {
		if err := beBusy(); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beBusy starts what an engine leaves behind when it is killed: a daemon that left its parent's
// session, a mount below the folder, a control group, and a file.
func beBusy() error {
	e, err := enclosure.New(context.Background())
	if err != nil {
		return err
	}
	const script = `mkdir mnt && mount -t tmpfs none mnt && touch mnt/file
for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir -p "$d$1/inner" 2>/dev/null || true; done
setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 1000; done' "$2" &
touch ready; sleep 1000`
	if _, err := e.Start(enclosure.Program{Name: "busy", Path: "/bin/sh", Args: []string{"-ec", script, "busy", e.Cgroup, e.Dir}}); err != nil {
		return err
	}
	for {
		if _, err := os.Stat(filepath.Join(e.Dir, "ready")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println(e.Dir)
	select {}
}

func TestNothingIsLeftAfterSIGKILL(t *testing.T)   { testEnd(t, syscall.SIGKILL) }
func TestNothingIsLeftAfterSIGINT(t *testing.T)    { testEnd(t, syscall.SIGINT) }
func TestNothingIsLeftOfAKilledGroup(t *testing.T) { testEnd(t, -syscall.SIGKILL) }

// testEnd ends a busy program with a signal, or its whole process group with a negative one, and
// requires that within a few seconds nothing of the enclosure is to be found.
func testEnd(t *testing.T, s syscall.Signal) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), busyVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir := strings.TrimSpace(line)
	if err != nil || !filepath.IsAbs(dir) {
		cmd.Process.Kill()
		t.Fatalf("the program said %q (%v)", line, err)
	}
	// Otherwise the checks below would pass without anything to find.
	if left := traces(t, dir); len(left) < 3 {
		t.Fatalf("before the kill only %v was found of %s", left, dir)
	}
	pid := cmd.Process.Pid
	if s < 0 {
		pid, s = -pid, -s
	}
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		left := traces(t, dir)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("two minutes after the end there is still: %s", strings.Join(left, "; "))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func traces(t *testing.T, dir string) []string {
	t.Helper()
	found, err := enclosure.Traces(dir)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestExitStatusAndLog(t *testing.T) {
	ctx := t.Context()
	e, err := enclosure.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p, err := e.Start(enclosure.Program{Name: "sh", Path: "/bin/sh", Args: []string{"-c", "echo out; echo err >&2; echo $GREETING; exit 7"}, Env: []string{"GREETING=hello"}})
	if err != nil {
		t.Fatal(err)
	}
	if code, err := p.Wait(ctx); err != nil || code != 7 {
		t.Fatalf("Wait returned %d, %v", code, err)
	}
	if log, _ := os.ReadFile(p.Log); string(log) != "out\nerr\nhello\n" {
		t.Errorf("the log is %q", log)
	}

	p, err = e.Start(enclosure.Program{Name: "sleep", Path: "/bin/sleep", Args: []string{"1000"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(ctx, syscall.SIGTERM, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if code, err := p.Wait(ctx); err != nil || code != 128+15 {
		t.Errorf("Wait returned %d, %v after SIGTERM", code, err)
	}

	if _, err := e.Start(enclosure.Program{Name: "absent", Path: "/no/such/program"}); err == nil {
		t.Error("starting an absent program succeeded")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if left := traces(t, e.Dir); len(left) > 0 {
		t.Errorf("after Close there is still: %s", strings.Join(left, "; "))
	}
	if _, err := e.Start(enclosure.Program{Name: "late", Path: "/bin/true"}); err == nil {
		t.Error("starting a program after Close succeeded")
	}
}

// A killed supervisor cannot remove its folder; the next New does, and init is gone at once.
func TestSweep(t *testing.T) {
	e, err := enclosure.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Start(enclosure.Program{Name: "sleep", Path: "/bin/sleep", Args: []string{"1000", "1000"}}); err != nil {
		t.Fatal(err)
	}
	supervisor := ""
	procs, _ := filepath.Glob("/proc/[0-9]*/task/*/children")
	for _, file := range procs {
		if args, _ := os.ReadFile(filepath.Join(file, "../../../cmdline")); strings.HasPrefix(string(args), "stagecraft-supervisor") {
			stat, _ := os.ReadFile(filepath.Join(file, "../../../stat"))
			if fields := strings.Fields(string(stat)); len(fields) > 3 && fields[3] == fmt.Sprint(os.Getpid()) {
				supervisor = fields[0]
			}
		}
	}
	var pid int
	if _, err := fmt.Sscan(supervisor, &pid); err != nil {
		t.Fatalf("no supervisor found: %v", err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err == nil {
		t.Error("Close did not tell that the supervisor was killed")
	}
	next, err := enclosure.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if left := traces(t, e.Dir); len(left) > 0 {
		t.Errorf("the next enclosure left: %s", strings.Join(left, "; "))
	}
}

func TestPrivateNetwork(t *testing.T) {
	perl, err := exec.LookPath("perl")
	if err != nil {
		t.Fatal(err)
	}
	e, err := enclosure.New(t.Context(), enclosure.PrivateNetwork())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const server = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr=>"127.0.0.1:8080", Listen=>5, ReuseAddr=>1) or die $!;
while (my $c = $s->accept) { <$c>; print $c "HTTP/1.0 200 OK\r\n\r\nfrom inside"; close $c }`
	if _, err := e.Start(enclosure.Program{Name: "server", Path: perl, Args: []string{"-e", server}}); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: e.Dial}}
	var body []byte
	for range 100 {
		var resp *http.Response
		if resp, err = client.Get("http://127.0.0.1:8080/"); err == nil {
			body, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil || string(body) != "from inside" {
		t.Fatalf("got %q, %v", body, err)
	}
	// Every thread of ours must still be in the machine's own network, where that port is not served.
	for range 50 {
		if c, err := net.DialTimeout("tcp", "127.0.0.1:8080", time.Second); err == nil {
			c.Close()
			t.Fatal("the server is reachable from outside")
		}
	}
}

// A listener of the caller's is reached from inside, and from nowhere else.
func TestListen(t *testing.T) {
	e, err := enclosure.New(t.Context(), enclosure.PrivateNetwork())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	listener, err := e.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "from outside") })}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	url := "http://" + listener.Addr().String()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: e.Dial}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(body) != "from outside" {
		t.Errorf("got %q, %v", body, err)
	}
	if conn, err := net.DialTimeout("tcp", listener.Addr().String(), time.Second); err == nil {
		conn.Close()
		t.Error("the listener is reachable from outside")
	}
}
