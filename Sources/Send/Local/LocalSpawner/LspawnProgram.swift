import ByteText
package import CommandLine
import ControlFiles
import DeliverySpawner
import Posix

/// The program qmail-lspawn(8).
package enum LspawnProgram {
    /// Take jobs on descriptor 0 and report on descriptor 1 until the jobs end.
    package static func run(_ program: Program) -> Int32 {
        let arguments = Process.arguments
        guard arguments.count == 2, !arguments[1].starts(with: "--") else {
            return program.misused()
        }
        let environment = Environment.current
        let instance = Instance.current(environment)
        do throws(Errno) { try Process.fillStandardDescriptors() } catch {
            return Program.temporary
        }
        do throws(ControlFailure) {
            let owner = try MessFile.owner(in: instance)
            let local = LocalSpawner(
                instance, delivery: arguments[1], environment: environment)
            let spawner = DeliverySpawner(
                "qmail-lspawn", jobs: FileDescriptor(adopting: 0),
                reports: FileDescriptor(adopting: 1),
                limit: DeliverySpawner.mostDeliveries, owner: owner,
                start: { local.start($0, message: $1, output: $2) },
                fold: { local.report(code: $1, $2) })
            return serve(spawner, program)
        } catch {
            return program.fatal(error.text)
        }
    }

    private static func serve(_ spawner: DeliverySpawner, _ program: Program) -> Int32 {
        do throws(Errno) {
            return try spawner.run() ? 0 : Program.temporary
        } catch {
            return program.fatal([UInt8]("unable to wait for deliveries: ") + error.text)
        }
    }
}
