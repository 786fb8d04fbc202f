import ByteText
package import CommandLine

/// The program qmail-qstat(8).
package enum QstatProgram {
    /// Count the messages.
    ///
    /// - Returns: 0; 100 for an unknown option; 111 when a queue cannot be read.
    package static func run(_ program: Program) -> Int32 {
        ListProgram.run(program) { (queues, output) throws(ListFailure) in
            var all = 0
            var waiting = 0
            var held = 0
            var lines: [UInt8] = []
            for queue in queues {
                let counts = try queue.counts()
                all += counts.all
                waiting += counts.waiting
                held += counts.held
                lines += queue.name + [UInt8](": ") + [UInt8](decimal: counts.all)
                lines += [UInt8](", ") + [UInt8](decimal: counts.waiting)
                lines.append(" not yet preprocessed\n")
            }
            try output.write([UInt8]("messages in queue: ") + [UInt8](decimal: all) + [10])
            try output.write(
                [UInt8]("messages in queue but not yet preprocessed: ") + [UInt8](decimal: waiting)
                    + [10])
            if held > 0 {
                try output.write(
                    [UInt8]("messages held for a scan: ") + [UInt8](decimal: held) + [10])
            }
            if queues.count > 1 { try output.write(lines) }
        }
    }
}
