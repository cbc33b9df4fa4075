"""Running an application from a program of one's own: options, the log, profilers, and the order of it all."""

from __future__ import annotations

import io
import pstats
import sys

import pytest

from torsion.application import app, reactoroption, serveroptions
from torsion.application.app import (
    ApplicationRunner,
    AppLogger,
    AppProfiler,
    CProfileRunner,
    ProfileRunner,
    ReactorSelectionMixin,
    ServerOptions,
    getApplication,
    getPassphrase,
    runReactorWithLogging,
    startApplication,
)
from torsion.application.reactors import NoSuchReactor
from torsion.application.service import Application, IService, Service, ServiceMaker, loadApplication
from torsion.internet._current import enter, leave
from torsion.internet.reactors.memory import MemoryReactor
from torsion.logger import ILogObserver, Logger, globalLogPublisher
from torsion.python import usage
from torsion.python.usage import UsageError


@pytest.fixture
def reactor():
    reactor = MemoryReactor()
    enter(reactor)
    yield reactor
    leave(reactor)


@pytest.fixture
def write(tmp_path):
    def write(text, name="shop.tac"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    yield write
    sys.modules.pop("__application__", None)


class ShopOptions(usage.Options):
    optParameters = (["port", "p", "80"],)


def makeService(options):
    service = Service()
    service.setName(f"shop at {options['port']}")
    return service


Options = ShopOptions
MAKER = ServiceMaker("Shop", __name__, "Sells things.", "shop")


@pytest.fixture
def plugins(monkeypatch):
    monkeypatch.setattr(serveroptions, "getPlugins", lambda interface: iter([MAKER]))


class TestLoading:
    def test_a_file(self, write):
        made = getApplication({"python": write("from torsion.application.service import Application\n"
                                               "application = Application('shop')\n")}, None)  # fmt: skip
        assert IService(made).name == "shop"

    def test_its_errors_start_there(self, write):
        path = write("def sell():\n    1 / 0\n\nsell()\n")
        with pytest.raises(SystemExit) as raised:
            getApplication({"python": path}, None)
        lines = str(raised.value).splitlines()
        assert lines[:3] == ["Failed to load application:", "Traceback (most recent call last):",
                             f'  File "{path}", line 4, in <module>']  # fmt: skip
        assert lines[-1] == "ZeroDivisionError: division by zero"

    def test_what_is_no_python(self, write):
        path = write("application = (\n")
        with pytest.raises(SystemExit) as raised:
            getApplication({"python": path}, None)
        assert f'File "{path}", line 1' in str(raised.value)
        assert "SyntaxError" in str(raised.value)

    def test_one_that_makes_none(self, write):
        with pytest.raises(SystemExit, match="does not set the variable application"):
            getApplication({"python": write("x = 1")}, None)

    def test_one_that_exits(self, write):
        with pytest.raises(SystemExit, match="SystemExit: 3"):
            getApplication({"python": write("raise SystemExit(3)")}, None)

    def test_one_that_is_not_there(self, tmp_path):
        with pytest.raises(SystemExit, match="FileNotFoundError"):
            getApplication({"python": str(tmp_path / "nowhere")}, None)
        with pytest.raises(SystemExit, match="--python FILE"):
            getApplication({"python": None}, None)

    @pytest.mark.parametrize("kind", ["pickle", "source"])
    def test_of_a_kind_that_there_is_not(self, kind):
        with pytest.raises(ValueError, match=kind):
            loadApplication("file", kind)

    def test_no_passphrase(self, monkeypatch):
        assert getPassphrase(False) is None
        monkeypatch.setattr("getpass.getpass", lambda prompt: "sesame")
        assert getPassphrase(True) == "sesame"


class TestStarting:
    def test_services_stop_with_the_reactor(self, reactor):
        made = Application("shop")
        startApplication(made, False)
        assert IService(made).running
        reactor.fireSystemEvent("shutdown")
        assert not IService(made).running

    def test_nothing_is_saved(self, reactor):
        events = []
        globalLogPublisher.addObserver(events.append)
        startApplication(Application("shop"), True)
        globalLogPublisher.removeObserver(events.append)
        assert [event["log_level"].name for event in events] == ["warn"]


class TestReactorOptions:
    class Both(ReactorSelectionMixin, usage.Options):
        pass

    def test_it_is_installed_as_it_is_read(self, monkeypatch):
        installed = []
        monkeypatch.setattr(reactoroption, "installReactor", installed.append)
        options = self.Both()
        options.parseOptions(["--reactor", "native"])
        options.parseOptions(["-r", "memory"])
        assert installed == ["native", "memory"]
        assert options["reactor"] == "memory"

    @pytest.mark.parametrize("error", [NoSuchReactor("none"), ImportError("too hot"), ValueError("odd")])
    def test_one_that_cannot_be(self, monkeypatch, error):
        def install(name):
            raise error

        monkeypatch.setattr(reactoroption, "installReactor", install)
        with pytest.raises(UsageError, match="--help-reactors") as raised:
            self.Both().parseOptions(["--reactor", "curio"])
        assert ("curio" if isinstance(error, NoSuchReactor) else str(error)) in str(raised.value)

    def test_the_list(self):
        options = self.Both()
        options.messageOutput = io.StringIO()
        with pytest.raises(SystemExit) as raised:
            options.parseOptions(["--help-reactors"])
        assert raised.value.code == 0
        lines = options.messageOutput.getvalue().splitlines()
        here = lines[: lines.index("")]
        assert [line.split()[0] for line in here if line.split()[0] in ("native", "epoll")] == ["epoll", "native"]
        assert any(line.split()[:1] == ["!iocp"] for line in lines[len(here) :])


class TestServerOptions:
    def test_commands_are_plugins(self, plugins):
        options = ServerOptions()
        options.parseOptions(["shop", "--port", "8080"])
        assert options.subCommand == "shop"
        assert options.subOptions["port"] == "8080"
        assert options.loadedPlugins == {"shop": MAKER}
        assert options["no_save"]

    def test_are_told_of(self, plugins):
        text = str(ServerOptions())
        assert "Sells things." in text
        assert "--python=" in text
        assert "--help-reactors" in text

    def test_this_processs_arguments(self, plugins, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["program"])
        with pytest.raises(SystemExit):
            ServerOptions().parseOptions()
        assert "Sells things." in capsys.readouterr().out
        monkeypatch.setattr(sys, "argv", ["program", "-y", "file", "-b"])
        options = ServerOptions()
        options.parseOptions()
        assert (options["python"], options["debug"]) == ("file", True)

    def test_the_logger_is_looked_up(self, plugins):
        options = ServerOptions()
        options.parseOptions(["--logger", f"{__name__}.makeService"])
        assert options["logger"].__name__ == "makeService"
        with pytest.raises(UsageError, match=r"no_such\.thing"):
            ServerOptions().parseOptions(["--logger", "no_such.thing"])

    def test_each_line_is_shown_if_it_is_to_be(self, plugins, monkeypatch):
        traced = []
        monkeypatch.setattr("sys.settrace", traced.append)
        monkeypatch.setattr("threading.settrace", traced.append)
        ServerOptions().parseOptions(["--spew", "shop"])
        assert [each.__name__ for each in traced] == ["spewer", "spewer"]

    def test_run_tells_of_errors(self, plugins, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["program", "--odd"])
        with pytest.raises(SystemExit) as raised:
            app.run(pytest.fail, ServerOptions)
        assert raised.value.code == 2
        assert "program: " in capsys.readouterr().err
        monkeypatch.setattr(sys, "argv", ["program", "-y", "file"])
        given = []
        app.run(given.append, ServerOptions)
        assert given[0]["python"] == "file"


class Loop:
    """A reactor that runs a function."""

    def __init__(self, function=lambda: None):
        self.function = function
        self.runs = 0

    def run(self):
        self.runs += 1
        self.function()


class TestProfilers:
    @pytest.mark.parametrize("kind", [ProfileRunner, CProfileRunner])
    @pytest.mark.parametrize("stats", [False, True])
    def test_write_what_they_find(self, kind, stats, tmp_path):
        path = str(tmp_path / "profile")
        loop = Loop(makes_little)
        kind(path, stats).run(loop)
        assert loop.runs == 1
        if stats:
            out = io.StringIO()
            pstats.Stats(path, stream=out).print_stats()
            text = out.getvalue()
        else:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        assert "makes_little" in text

    def test_also_of_what_raises(self, tmp_path):
        path = tmp_path / "profile"
        with pytest.raises(ZeroDivisionError):
            CProfileRunner(str(path), False).run(Loop(lambda: 1 / 0))
        assert "run" in path.read_text()

    def test_to_standard_output(self, capsys):
        CProfileRunner(None, False).run(Loop(makes_little))
        assert "makes_little" in capsys.readouterr().out

    def test_are_chosen_by_name(self, tmp_path):
        path = tmp_path / "profile"
        profiler = AppProfiler({"profile": str(path), "profiler": "Profile"})
        assert profiler.profiler == "profile"
        profiler.run(Loop())
        assert path.exists()
        assert AppProfiler({}).profiler == "cprofile"
        with pytest.raises(SystemExit, match="slow"):
            AppProfiler({"profiler": "slow"})


def makes_little():
    return 1 + 1


class TestRunning:
    def test_a_reactor(self):
        loop = Loop()
        runReactorWithLogging({}, sys.stdout, sys.stderr, reactor=loop)
        assert loop.runs == 1

    def test_under_a_profiler(self):
        loops = []
        profiler = type("Profiler", (), {"run": lambda self, reactor: loops.append(reactor)})()
        loop = Loop()
        runReactorWithLogging({"profile": "x"}, sys.stdout, sys.stderr, profiler, loop)
        assert loops == [loop]

    def test_in_the_debugger(self, monkeypatch):
        called = []
        monkeypatch.setattr("pdb.runcall", called.append)
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        loop, out = Loop(), io.StringIO()
        runReactorWithLogging({"debug": True}, out, out, None, loop)
        assert called == [loop.run]
        assert sys.stdout is out

    def test_one_that_raises(self):
        err = io.StringIO()
        runReactorWithLogging({}, io.StringIO(), err, None, Loop(lambda: 1 / 0))
        assert "ZeroDivisionError" in err.getvalue()


class TestRunner:
    def runner(self, done, arguments):
        class Runner(ApplicationRunner):
            class loggerFactory:
                def __init__(self, config):
                    pass

                def start(self, application):
                    done.append(("start", IService(application).name))

                def stop(self):
                    done.append(("stop",))

            def preApplication(self):
                done.append(("before",))

            def postApplication(self):
                done.append(("run", self.application))

        config = ServerOptions()
        config.parseOptions(arguments)
        return Runner(config)

    def test_the_order(self, plugins):
        done = []
        runner = self.runner(done, ["shop", "--port", "8080"])
        runner.run()
        assert done == [("before",), ("start", "shop"), ("run", runner.application), ("stop",)]
        [service] = IService(runner.application)
        assert service.name == "shop at 8080"

    def test_of_a_file(self, plugins, write):
        done = []
        path = write("from torsion.application.service import Application\napplication = Application('store')\n")
        runner = self.runner(done, ["-y", path])
        runner.run()
        assert done[1] == ("start", "store")

    def test_the_log_ends_in_any_case(self, plugins):
        done = []
        runner = self.runner(done, ["shop"])
        runner.postApplication = lambda: 1 / 0
        with pytest.raises(ZeroDivisionError):
            runner.run()
        assert done[-1] == ("stop",)

    def test_the_reactor(self, plugins):
        loop = Loop()
        self.runner([], ["shop"]).startReactor(loop, sys.stdout, sys.stderr)
        assert loop.runs == 1

    @pytest.mark.parametrize("name", ["preApplication", "postApplication"])
    def test_what_is_to_be_overridden(self, plugins, name):
        config = ServerOptions()
        config.parseOptions(["shop"])
        with pytest.raises(NotImplementedError):
            getattr(ApplicationRunner(config), name)()


class TestLogger:
    @pytest.fixture(autouse=True)
    def begun(self, monkeypatch):
        """Have what begins the log do nothing but add the observers: pytest keeps standard output for itself."""

        class Beginner:
            def beginLoggingTo(self, observers):
                for each in observers:
                    globalLogPublisher.addObserver(each)

        monkeypatch.setattr("torsion.application.applogger.globalLogBeginner", Beginner())

    def log(self, options, application=None):
        logger = AppLogger(options)
        logger.start(application)
        Logger("shop").info("sold")
        logger.stop()
        Logger("shop").info("too late")

    def test_to_a_file(self, tmp_path):
        path = tmp_path / "log"
        self.log({"logfile": str(path)})
        text = path.read_text()
        assert "sold" in text
        assert "too late" not in text

    def test_to_standard_output(self, capsys):
        self.log({"logfile": "-"})
        assert "sold" in capsys.readouterr().out

    def test_to_the_applications_own(self):
        events = []
        application = Application("shop")
        application.setComponent(ILogObserver, events.append)
        self.log({}, application)
        assert "sold" in [event["log_format"] for event in events]

    def test_to_one_that_options_name(self):
        events = []
        self.log({"logger": lambda: events.append, "logfile": "/nowhere"})
        assert "sold" in [event["log_format"] for event in events]


def test_all_names_are_there():
    assert all(hasattr(app, name) for name in app.__all__)
