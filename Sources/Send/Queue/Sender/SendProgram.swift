import ByteText
import ControlFiles
import Envelope
import Posix
import QueueStore
import Schedule
import SendQueue

/// The program qmail-send(8).
package enum SendProgram {
    /// It could not start, or a program it works with is gone.
    static let unable: Int32 = 111

    /// Send the mail of all queues until SIGTERM.
    ///
    /// - Returns: 0 after SIGTERM, 111 when it cannot start or go on; see qmail-send(8).
    package static func run() -> Int32 {
        Signal.brokenPipe.ignore()
        Process.setFileModeMask(0o077)
        let instance = Instance.current(Environment.current)
        do throws(Errno) {
            let signals = try Signal.queue([.terminate, .alarm, .hangUp, .childEnded])
            let settings: SendSettings
            do throws(ControlFailure) {
                settings = try SendSettings(Control(of: instance))
            } catch {
                return fail(error.text)
            }
            guard let queues = try openQueues(instance) else { return unable }
            for warning in settings.warnings {
                FileDescriptor.tell(
                    [UInt8]("warning: ") + warning + [10], on: SenderDescriptor.log)
            }
            // While there is little memory to share with it, and nothing to be done.
            let syncer = try Syncer.start(queues)
            for helper in [
                SenderDescriptor.fromLocal, SenderDescriptor.fromRemote, SenderDescriptor.fromClean,
            ] {
                // Waiting must not make it deaf.
                if try !isReady(helper, signals) { return 0 }
            }
            return try Sender(
                instance, queues: queues, settings: settings, syncer: syncer, signals: signals
            ).run()
        } catch {
            return fail([UInt8]("no pipes from qmail-start, or no memory: ") + error.text)
        }
    }

    /// Wait until a helper says hello, or is gone; false at SIGTERM.
    private static func isReady(
        _ helper: Int32, _ signals: borrowing FileDescriptor
    ) throws(Errno) -> Bool {
        while true {
            let ready = try Polling.waitForSome(
                [(signals.rawValue, .readable), (helper, .readable)], until: nil)
            while ready.contains(0), let signal = try signals.nextSignal() {
                if signal == Signal.terminate.number { return false }
            }
            if ready.contains(1) { return true }
        }
    }

    /// All queues of the spool, each locked for as long as this process lives; nil after saying why not.
    private static func openQueues(_ instance: Instance) throws(Errno) -> [SendQueue]? {
        var names = try Files.names(in: instance.spool).filter { $0.starts(with: "queue") }
        names.sort { $0.lexicographicallyPrecedes($1) }
        var queues: [SendQueue] = []
        for name in names.prefix(MessageKey.queueLimit) {
            let path = instance.spool + [UInt8(ascii: "/")] + name
            let directory: QueueDirectory
            do throws(QueueExit) { directory = try QueueDirectory(opening: path) } catch {
                _ = fail(
                    path + [UInt8](" is not a queue: make it with queue-fix(8), or move it away"))
                return nil
            }
            do throws(Errno) {
                let lock = try FileDescriptor.open(directory.file("lock/sendmutex"), .readWrite)
                guard try lock.lockWithoutWaiting() else {
                    _ = fail(path + [UInt8](" is in use: another qmail-send or queue-fix runs"))
                    return nil
                }
                _ = lock.release()  // Held until this process ends.
            } catch {
                _ = fail([UInt8]("unable to lock ") + path + [UInt8](": ") + error.text)
                return nil
            }
            queues.append(SendQueue(directory))
        }
        if queues.isEmpty {
            _ = fail(
                [UInt8]("no queue in ") + instance.spool + [UInt8](": make one with queue-fix(8)"))
            return nil
        }
        return queues
    }

    private static func fail(_ reason: [UInt8]) -> Int32 {
        FileDescriptor.tell(
            [UInt8]("alert: cannot start: ") + reason + [10], on: SenderDescriptor.log)
        return unable
    }
}
