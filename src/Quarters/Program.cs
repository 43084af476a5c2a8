return await Quarters.CommandLine.RunAsync(args);
