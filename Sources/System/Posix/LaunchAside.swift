import CPosix

// Starting children that nobody waits for alone.

extension Launch {
    /// Start it and go on at once, while it becomes the program; see clone(2), CLONE_VM.
    ///
    /// As `start`, but a program that cannot be exec'd is a child that ends with code 111 and has a
    /// `reasonOfNoStart`. While very many children become their programs, the next one is started by `start`, with
    /// its errors. Of a process that has no threads.
    package func startAside() throws(Errno) -> Child {
        let child = withRaw { cposix_start_aside(&$0, $1) }
        if child == -1 { throw Errno.last }
        return Child(identifier: child)
    }

    /// Be the program, with these descriptors and all that `start` gives a child; see execve(2).
    ///
    /// It returns only to say why that could not be.
    package func become() -> Errno {
        Errno(rawValue: withRaw { launch, _ in cposix_become(&launch) })
    }

    private func withRaw(
        _ body: (inout cposix_launch, UnsafeMutableRawPointer) -> Int32
    ) -> Int32 {
        let texts = LaunchTexts(self)
        return descriptors.span.withUnsafeBufferPointer { raw in
            // Without descriptors there is no array, and none is read.
            var nothing: Int32 = -1
            return withUnsafePointer(to: &nothing) { nothing in
                var launch = cposix_launch(
                    path: texts.path, arguments: texts.arguments, environment: texts.environment,
                    directory: texts.directory, descriptors: raw.baseAddress ?? nothing,
                    descriptor_count: Int32(raw.count), new_group: newGroup ? 1 : 0,
                    becomes_user: user == nil ? 0 : 1, user: user?.identifier ?? 0,
                    group: user?.group ?? 0,
                    leaves_real_user: leavesRealUser ? 1 : 0,
                    processor_seconds: processorSeconds,
                    address_space: addressSpace, file_size: fileSize, failure: 0)
                return body(&launch, texts.memory)
            }
        }
    }
}

extension Child {
    /// Why this child of `Launch.startAside`, which has ended, could not exec its program; nil when it could.
    package var reasonOfNoStart: Errno? {
        let reason = cposix_failure_aside(identifier)
        return reason == 0 ? nil : Errno(rawValue: reason)
    }
}

/// What execve(2) and chdir(2) take, in one piece of memory from malloc(3) that whoever gets it frees.
private struct LaunchTexts {
    let memory: UnsafeMutableRawPointer
    let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let path: UnsafeMutablePointer<CChar>
    let directory: UnsafeMutablePointer<CChar>?

    init(_ launch: Launch) {
        let variables = launch.environment.entries
        let pointerCount = launch.arguments.count + 1 + variables.count + 1
        var size = pointerCount * MemoryLayout<UnsafeMutablePointer<CChar>?>.stride
        size += launch.path.count + 1 + (launch.directory?.count ?? 0) + 1
        for text in launch.arguments { size += text.count + 1 }
        for text in variables { size += text.count + 1 }
        guard let memory = malloc(size) else { fatalError("out of memory") }
        self.memory = memory
        arguments = memory.bindMemory(
            to: UnsafeMutablePointer<CChar>?.self, capacity: pointerCount)
        environment = arguments + launch.arguments.count + 1
        var next = UnsafeMutableRawPointer(arguments + pointerCount)
        for (i, text) in launch.arguments.enumerated() { arguments[i] = Self.put(text, &next) }
        arguments[launch.arguments.count] = nil
        for (i, text) in variables.enumerated() { environment[i] = Self.put(text, &next) }
        environment[variables.count] = nil
        path = Self.put(launch.path, &next)
        if let text = launch.directory {
            directory = Self.put(text, &next)
        } else {
            directory = nil
        }
    }

    /// Write a text and its NUL, and move on behind it.
    private static func put(
        _ text: [UInt8], _ next: inout UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<CChar> {
        let start = next
        text.withUnsafeBytes {
            if let base = $0.baseAddress { memcpy(start, base, $0.count) }
        }
        start.storeBytes(of: 0, toByteOffset: text.count, as: UInt8.self)
        next = start + text.count + 1
        return start.bindMemory(to: CChar.self, capacity: text.count + 1)
    }
}
