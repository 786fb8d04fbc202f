import ByteText
package import CommandLine
import ControlFiles
import DeliverySpawner
import Posix
import RelayRoutes

/// The program qmail-rspawn(8).
package enum RspawnProgram {
    /// Take jobs on descriptor 0 and report on descriptor 1 until the jobs end; come back with the exit code.
    package static func run(_ program: Program) -> Int32 {
        guard Process.arguments.count == 1 else { return program.misused() }
        let environment = Environment.current
        let instance = Instance.current(environment)
        do throws(Errno) { try Process.fillStandardDescriptors() } catch {
            return Program.temporary
        }
        let owner: UInt32?
        do throws(ControlFailure) { owner = try MessFile.owner(in: instance) } catch {
            return program.fatal(error.text)
        }
        let remote = instance.path("/usr/sbin/qmail-remote")
        let routes = CurrentControlImage.Other(
            path: Control(of: instance).file("smtproutes"),
            lines: { SMTPRoutes.sortedLines(of: $0) })
        let image = CurrentControlImage(directory: instance.control, others: [routes])
        let spawner = DeliverySpawner(
            "qmail-rspawn", jobs: FileDescriptor(adopting: 0), reports: FileDescriptor(adopting: 1),
            limit: DeliverySpawner.mostDeliveries, owner: owner,
            start: {
                RemoteJob.start(
                    $0, remote, environment, descriptors: [$1, $2, 2], image: image.descriptor())
            },
            fold: { RemoteJob.report(code: $1, $2) })
        do throws(Errno) {
            return try spawner.run() ? 0 : Program.temporary
        } catch {
            return program.fatal([UInt8]("unable to wait for deliveries: ") + error.text)
        }
    }
}
