"""The no-loss proof: histories posted while a nemesis kills, stops and slows what carries them, checked afterwards."""
