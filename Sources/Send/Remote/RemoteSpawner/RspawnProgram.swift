import ByteText
import ControlFiles
import DeliverySpawner
import Posix
import RelayRoutes

/// The program qmail-rspawn(8).
package enum RspawnProgram {
    private static let misused: Int32 = 100
    private static let unable: Int32 = 111
    private static let usage: StaticString = "qmail-rspawn: takes no arguments\n"

    /// Take jobs on descriptor 0 and report on descriptor 1 until the jobs end; come back with the exit code.
    package static func run() -> Int32 {
        let arguments = Process.arguments
        guard arguments.count <= 1 else {
            let asksForHelp = arguments.count == 2 && arguments[1].starts(with: "--")
            FileDescriptor.tell([UInt8](usage), on: asksForHelp ? 1 : 2)
            return asksForHelp ? 0 : misused
        }
        let environment = Environment.current
        let instance = Instance.current(environment)
        do throws(Errno) { try Process.fillStandardDescriptors() } catch { return unable }
        let owner: UInt32?
        do throws(ControlFailure) { owner = try MessFile.owner(in: instance) } catch {
            return fatal(error.text)
        }
        let program = instance.path("/usr/sbin/qmail-remote")
        let routes = CurrentControlImage.Other(
            path: Control(of: instance).file("smtproutes"),
            lines: { SMTPRoutes.sortedLines(of: $0) })
        let image = CurrentControlImage(directory: instance.control, others: [routes])
        let spawner = DeliverySpawner(
            "qmail-rspawn", jobs: FileDescriptor(adopting: 0), reports: FileDescriptor(adopting: 1),
            limit: DeliverySpawner.mostDeliveries, owner: owner,
            start: {
                RemoteJob.start(
                    $0, program, environment, descriptors: [$1, $2, 2], image: image.descriptor())
            },
            fold: { RemoteJob.report(code: $1, $2) })
        do throws(Errno) {
            return try spawner.run() ? 0 : unable
        } catch {
            return fatal([UInt8]("unable to wait for deliveries: ") + error.text)
        }
    }

    private static func fatal(_ text: [UInt8]) -> Int32 {
        FileDescriptor.tell([UInt8]("qmail-rspawn: fatal: ") + text + [10], on: 2)
        return unable
    }
}
